// @ts-check
/**
 * Sign in, and make an account: one form, two faces. Afterwards the visitor is back where they were.
 *
 * @typedef {import('../router.js').Visit} Visit
 */

import { note } from '../announcer.js';
import { ApiError, api } from '../api.js';
import { fill, h } from '../dom.js';
import { go, setTitle } from '../router.js';
import { session } from '../session.js';
import { T } from '../texts.js';
import { emailField, field, form, panelPage, passwordField } from './form.js';

/** @param {Visit} visit */
export function signInPage(visit) {
  signPage(visit, false);
}

/** @param {Visit} visit */
export function registerPage(visit) {
  signPage(visit, true);
}

/**
 * The address of the sign-in page that leads back here.
 *
 * @returns {string}
 */
export function signInPath() {
  const here = location.pathname + location.search;
  return here === '/' ? '/login' : `/login?to=${encodeURIComponent(here)}`;
}

/** @param {Visit} visit @param {boolean} isNew */
function signPage({ root, query, signal }, isNew) {
  setTitle(isNew ? T.nav.register : T.nav.signIn);
  const to = safePath(query.get('to'));
  const suffix = query.get('to') ? `?to=${encodeURIComponent(to)}` : '';
  const name = field('name', T.sign.name, { autocomplete: 'name' });
  const email = emailField();
  const password = passwordField(isNew);
  const send = async () => {
    if (isNew) await api.register(email.input.value.trim(), password.input.value, name.input.value.trim());
    await session.signIn(email.input.value.trim(), password.input.value);
    if (signal.aborted) return;
    if (session.account) note(T.sign.welcome(session.account.name), 'good');
    go(to, { replace: true });
  };
  fill(root, panelPage(isNew ? T.sign.upTitle : T.sign.inTitle, isNew ? T.sign.upLead : T.sign.inLead,
    form(signal, {
      fields: isNew ? [name, email, password] : [email, password],
      label: isNew ? T.sign.register : T.sign.signIn,
      isNew,
      send,
      culprit: (refusal) => (refusal instanceof ApiError && refusal.code === 'weak_password' ? password : email),
    }),
    h('p.aside', null, isNew ? `${T.sign.toSignIn} ` : `${T.sign.toRegister} `,
      h('a', { href: (isNew ? '/login' : '/register') + suffix }, isNew ? T.nav.signIn : T.nav.register)),
    isNew ? '' : h('p.aside', null, h('a', { href: '/forgot-password' }, T.mailed.forgot))));
}

/** @param {string | null} to @returns {string} an address of ours, whatever the query says */
function safePath(to) {
  if (!to || !to.startsWith('/')) return '/';
  const target = new URL(to, location.origin);
  return target.origin === location.origin ? target.pathname + target.search : '/';
}
