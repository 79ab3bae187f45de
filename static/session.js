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

  /** Ask the server, unless nobody has signed in with this browser. */
  async load() {
    if (!wasSignedIn()) {
      set(null);
      return;
    }
    try {
      set(await api.me());
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 401) throw problem;
      set(null);
    }
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
  rememberSignedIn(next !== null);
  if (isChanged) for (const listener of listeners) listener(next);
}

const MARK = 'usher.signed_in';

/** @returns {boolean} */
function wasSignedIn() {
  try {
    return localStorage.getItem(MARK) !== null;
  } catch {
    return true;
  }
}

/** @param {boolean} is */
function rememberSignedIn(is) {
  try {
    if (is) localStorage.setItem(MARK, '1');
    else localStorage.removeItem(MARK);
  } catch {
    // Without storage the server is asked on every visit.
  }
}
