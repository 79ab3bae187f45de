// @ts-check
/**
 * What links in mails lead to, and how one gets them: a forgotten password, a new one, an address to confirm.
 *
 * The token leaves the address bar at once: it is in no history, and in no Referer.
 *
 * @typedef {import('../router.js').Visit} Visit
 */

import { note } from '../announcer.js';
import { api } from '../api.js';
import { fill, h } from '../dom.js';
import { focusHeading, go, rename, setTitle } from '../router.js';
import { session } from '../session.js';
import { T } from '../texts.js';
import { emailField, form, panelPage, passwordField } from './form.js';

/** @param {Visit} visit */
export function forgotPage({ root, signal }) {
  setTitle(T.mailed.forgotTitle);
  const email = emailField();
  const send = async () => {
    await api.forgotPassword(email.input.value.trim());
    if (signal.aborted) return;
    fill(root, panelPage(T.mailed.askedTitle, T.mailed.asked, h('p.aside', null, toSignIn())));
    focusHeading();
  };
  fill(root, panelPage(T.mailed.forgotTitle, T.mailed.forgotLead,
    form(signal, { fields: [email], label: T.mailed.askReset, isNew: false, send, culprit: () => email }),
    h('p.aside', null, toSignIn())));
}

/** @param {Visit} visit */
export function resetPage(visit) {
  const { root, signal } = visit;
  const token = takeToken(visit);
  setTitle(T.mailed.resetTitle);
  if (!token) return tellNoToken(root, T.mailed.resetTitle);
  const password = passwordField(true);
  const send = async () => {
    await api.resetPassword(token, password.input.value);
    await session.load().catch(() => {});
    if (signal.aborted) return;
    note(T.mailed.changed, 'good');
    go('/login', { replace: true });
  };
  fill(root, panelPage(T.mailed.resetTitle, T.mailed.resetLead,
    form(signal, { fields: [password], label: T.mailed.reset, isNew: true, send, culprit: () => password }),
    h('p.aside', null, h('a', { href: '/forgot-password' }, T.mailed.askReset))));
}

/** By a click and not by itself: programs that look into mails open its links, too. @param {Visit} visit */
export function verifyPage(visit) {
  const { root, signal } = visit;
  const token = takeToken(visit);
  setTitle(T.mailed.verifyTitle);
  if (!token) return tellNoToken(root, T.mailed.verifyTitle);
  const send = async () => {
    await api.verifyEmail(token);
    if (signal.aborted) return;
    note(T.mailed.verified, 'good');
    go('/', { replace: true });
  };
  fill(root, panelPage(T.mailed.verifyTitle, T.mailed.verifyLead,
    form(signal, { fields: [], label: T.mailed.verify, isNew: false, send })));
}

/** @param {Visit} visit @returns {string} */
function takeToken({ query }) {
  rename(location.pathname);
  return query.get('token') ?? '';
}

/** @param {HTMLElement} root @param {string} title */
function tellNoToken(root, title) {
  fill(root, panelPage(title, T.mailed.noToken, h('p.aside', null, toSignIn())));
}

/** @returns {HTMLElement} */
function toSignIn() {
  return h('a', { href: '/login' }, T.nav.signIn);
}
