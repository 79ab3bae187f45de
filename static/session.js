// @ts-check
/**
 * Who is signed in, as far as this page knows. The cookie itself is out of its reach.
 *
 * @typedef {import('./api.js').Account} Account
 */

import { ApiError, api } from './api.js';

/** @type {Account | null | undefined} undefined until the server was asked */
let account;
/** @type {Set<(account: Account | null) => void>} */
const listeners = new Set();

export const session = {
  /** @returns {Account | null | undefined} */
  get account() {
    return account;
  },

  /** @param {(account: Account | null) => void} listener @param {AbortSignal} [signal] */
  listen(listener, signal) {
    listeners.add(listener);
    signal?.addEventListener('abort', () => listeners.delete(listener));
  },

  /** Ask the server. @returns {Promise<Account | null>} */
  async load() {
    try {
      set(await api.me());
    } catch (problem) {
      if (problem instanceof ApiError && problem.status !== 401) throw problem;
      set(null);
    }
    return account ?? null;
  },

  /** @param {string} email @param {string} password */
  async signIn(email, password) {
    set(await api.signIn(email, password));
  },

  async signOut() {
    try {
      await api.signOut();
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 401) throw problem;
    }
    set(null);
  },

  /** The server said that the session has ended. */
  forget() {
    set(null);
  },
};

/** @param {Account | null} next */
function set(next) {
  const isChanged = next?.id !== account?.id || account === undefined;
  account = next;
  if (isChanged) for (const listener of listeners) listener(next);
}
