// @ts-check
/** What stands around every page: the name, the way around, who is signed in. */

import { announcerElements, note } from '../announcer.js';
import { fill, h, icon, svg } from '../dom.js';
import { LANGUAGES, chooseLanguage, language } from '../language.js';
import { go } from '../router.js';
import { session } from '../session.js';
import { T } from '../texts.js';
import { signInPath } from './sign_page.js';
import { sentenceOf } from './states.js';

/** @returns {{main: HTMLElement, onPath: (path: string) => void}} where the pages go */
export function buildShell() {
  const main = h('main', { id: 'content' });
  const nav = h('nav.nav', { 'aria-label': T.nav.label });
  const skip = h('a.skip', { href: '#content' }, T.skip);
  skip.addEventListener('click', (event) => {
    event.preventDefault();
    const target = main.querySelector('h1') ?? main;
    target.tabIndex = -1;
    target.focus();
  });
  document.body.prepend(
    skip,
    h('header.top', null, h('a.brand', { href: '/' }, logo(), T.appName), nav),
    main,
    // With a target, the router leaves the link to the browser: that page is not the application's.
    h('footer.foot', null, T.footer, ' ', h('a', { href: '/api/docs', target: '_self' }, T.forPrograms), languageSwitch()),
    ...announcerElements(),
  );
  const draw = () => fill(nav, ...links(location.pathname));
  session.listen(draw);
  return {
    main,
    onPath: (path) => {
      document.body.dataset['page'] = path === '/' ? 'events' : path.split('/')[1];
      draw();
    },
  };
}

/** @param {string} path @returns {(HTMLElement | null)[]} */
function links(path) {
  const { account } = session;
  const current = (/** @type {boolean} */ is) => (is ? { 'aria-current': 'page' } : {});
  return [
    h('a', { href: '/', class: 'nav-events', ...current(path === '/') }, T.nav.events),
    account ? h('a', { href: '/orders', ...current(path.startsWith('/orders')) }, icon('ticket'), T.nav.orders) : null,
    account ? h('span.who', { title: T.nav.signedInAs(account.name) }, account.name) : null,
    account ? h('button.button.quiet.small', { type: 'button', 'data-sign-out': true, onclick: signOut }, T.nav.signOut) : null,
    account === null && path !== '/login' && path !== '/register'
      ? h('a.button.small', { href: signInPath() }, T.nav.signIn) : null,
  ];
}

async function signOut() {
  try {
    await session.signOut();
    note(T.nav.signedOut);
    go('/');
  } catch (problem) {
    note(sentenceOf(problem), 'warn');
  }
}

/** @returns {HTMLElement} each language by its own name */
function languageSwitch() {
  const choice = h('select', { 'aria-label': T.language, name: 'language', onchange: () => chooseLanguage(choice.value) },
    Object.entries(LANGUAGES).map(([value, name]) => h('option', { value, lang: value, selected: value === language }, name)));
  return choice;
}

/** Rows of seats around a stage. @returns {SVGElement} */
function logo() {
  return svg('svg', { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('path', { class: 'logo-row', d: 'M4 13a13 13 0 0 0 24 0' }),
    svg('path', { class: 'logo-row', d: 'M9.5 10.500a7.5 7.5 0 0 0 13 0' }),
    svg('circle', { class: 'logo-mine', cx: 16, cy: 26.5, r: 3.2 }));
}
