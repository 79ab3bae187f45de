// The contract's envelope, and the session in one of its two forms. Knows nothing beyond the contract.

const query = new URLSearchParams(location.search);
const BASE = `${query.get('server')}/api/v1`;
const usesCookie = query.get('session') === 'cookie';
let sessionId = null;

export class Failed extends Error {
  constructor(status, error) {
    super(`${status} ${error}`);
    this.status = status;
    this.error = error;
  }
}

/** Keep what the login has answered, where cookies do not do that. */
export function keepSession(id) {
  if (!usesCookie) sessionId = id;
}

/** What succeeded: the whole envelope and its status. Throws Failed. */
export async function request(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers }, credentials: usesCookie ? 'include' : 'omit' };
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  if (sessionId !== null) options.headers['X-Session-Id'] = sessionId;
  const response = await fetch(BASE + path, options);
  const envelope = await response.json();
  if (envelope.success === true) return { status: response.status, ...envelope };
  if (envelope.success !== false || typeof envelope.error !== 'string') throw new Error(`no envelope: ${JSON.stringify(envelope)}`);
  throw new Failed(response.status, envelope.error);
}

export const get = (path) => request('GET', path);
export const post = (path, body, headers) => request('POST', path, body, headers);

/** Expect a refusal with this status and sentence (or its beginning). */
export async function refused(status, error, asked) {
  try {
    await asked;
  } catch (failed) {
    if (failed instanceof Failed && failed.status === status && failed.error.startsWith(error)) return;
    throw failed;
  }
  throw new Error(`this should have been refused: ${status} ${error}`);
}
