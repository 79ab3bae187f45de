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
import { sentenceOf } from './states.js';

const PASSWORD_CHARS_LEAST = 8;

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
  const email = field('email', T.sign.email, { type: 'email', autocomplete: 'username', inputmode: 'email', spellcheck: 'false' });
  const password = field('password', T.sign.password, { type: 'password', autocomplete: isNew ? 'new-password' : 'current-password' }, isNew ? T.sign.passwordHint : '');
  const fields = isNew ? [name, email, password] : [email, password];
  const problem = h('p.problem', { role: 'alert', hidden: true });
  const button = h('button.button.primary.wide', { type: 'submit' }, isNew ? T.sign.register : T.sign.signIn);

  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    problem.hidden = true;
    if (!fields.map((one) => one.check(isNew)).every(Boolean)) {
      fields.find((one) => one.input.getAttribute('aria-invalid') === 'true')?.input.focus();
      return;
    }
    button.disabled = true;
    try {
      if (isNew) await api.register(email.input.value.trim(), password.input.value, name.input.value.trim());
      await session.signIn(email.input.value.trim(), password.input.value);
      if (signal.aborted) return;
      if (session.account) note(T.sign.welcome(session.account.name), 'good');
      go(to, { replace: true });
    } catch (refusal) {
      if (signal.aborted) return;
      button.disabled = false;
      problem.hidden = false;
      problem.textContent = sentenceOf(refusal);
      (refusal instanceof ApiError && refusal.code === 'weak_password' ? password : email).input.focus();
    }
  };

  fill(root, h('div.page.narrow', null, h('div.panel.sign', null,
    h('h1', null, isNew ? T.sign.upTitle : T.sign.inTitle),
    h('p.lead', null, isNew ? T.sign.upLead : T.sign.inLead),
    h('form', { novalidate: true, onsubmit: submit }, problem, fields.map((one) => one.element), button),
    h('p.aside', null, isNew ? `${T.sign.toSignIn} ` : `${T.sign.toRegister} `,
      h('a', { href: (isNew ? '/login' : '/register') + suffix }, isNew ? T.nav.signIn : T.nav.register)))));
}

/**
 * @param {string} name
 * @param {string} label
 * @param {Record<string, string>} attributes
 * @param {string} [hint]
 */
function field(name, label, attributes, hint = '') {
  const input = h('input', { id: `field-${name}`, name, required: true, 'aria-describedby': `error-${name}`, ...attributes });
  const error = h('span.error', { id: `error-${name}` }, hint);
  input.addEventListener('input', () => {
    if (input.getAttribute('aria-invalid') === 'true') tell('');
  });
  const tell = (/** @type {string} */ text) => {
    input.setAttribute('aria-invalid', String(text !== ''));
    error.textContent = text || hint;
    return text === '';
  };
  /** @param {boolean} isNew @returns {boolean} */
  const check = (isNew) => {
    const value = input.value.trim();
    if (!value) return tell(T.sign.missing(label));
    if (name === 'email' && !/^[^\s@]+@[^\s@]+$/.test(value)) return tell(T.sign.badEmail);
    if (name === 'password' && isNew && input.value.length < PASSWORD_CHARS_LEAST) return tell(T.sign.shortPassword);
    return tell('');
  };
  return { input, check, element: h('div.field', null, h('label', { for: `field-${name}` }, label), input, error) };
}

/** @param {string | null} to @returns {string} an address of ours, whatever the query says */
function safePath(to) {
  if (!to || !to.startsWith('/')) return '/';
  const target = new URL(to, location.origin);
  return target.origin === location.origin ? target.pathname + target.search : '/';
}
