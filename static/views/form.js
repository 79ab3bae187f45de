// @ts-check
/**
 * A form in a panel: checked before it is sent, and its trouble is said where it is.
 *
 * @typedef {{input: HTMLInputElement, check: (isNew: boolean) => boolean, element: HTMLElement}} Field
 */

import { h } from '../dom.js';
import { T } from '../texts.js';
import { sentenceOf } from './states.js';

const PASSWORD_CHARS_LEAST = 8;

/**
 * @param {string} name `email` and `password` are looked at more closely
 * @param {string} label
 * @param {Record<string, string>} attributes
 * @param {string} [hint]
 * @returns {Field}
 */
export function field(name, label, attributes, hint = '') {
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
  /** @param {boolean} isNew a password that is chosen just now @returns {boolean} */
  const check = (isNew) => {
    const value = input.value.trim();
    if (!value) return tell(T.sign.missing(label));
    if (name === 'email' && !/^[^\s@]+@[^\s@]+$/.test(value)) return tell(T.sign.badEmail);
    if (name === 'password' && isNew && input.value.length < PASSWORD_CHARS_LEAST) return tell(T.sign.shortPassword);
    return tell('');
  };
  return { input, check, element: h('div.field', null, h('label', { for: `field-${name}` }, label), input, error) };
}

/** @returns {Field} of the address that an account has */
export function emailField() {
  return field('email', T.sign.email, { type: 'email', autocomplete: 'username', inputmode: 'email', spellcheck: 'false' });
}

/** @param {boolean} isNew @returns {Field} of a password, known or chosen just now */
export function passwordField(isNew) {
  const autocomplete = isNew ? 'new-password' : 'current-password';
  return field('password', T.sign.password, { type: 'password', autocomplete }, isNew ? T.sign.passwordHint : '');
}

/**
 * @param {AbortSignal} signal of the page's end
 * @param {object} form
 * @param {Field[]} form.fields
 * @param {string} form.label of its button
 * @param {boolean} form.isNew are passwords in it chosen just now?
 * @param {() => Promise<void>} form.send what it throws is told above the fields
 * @param {(refusal: unknown) => Field | undefined} [form.culprit] the field that is to be mended
 * @returns {HTMLFormElement}
 */
export function form(signal, { fields, label, isNew, send, culprit }) {
  const problem = h('p.problem', { role: 'alert', hidden: true });
  const button = h('button.button.primary.wide', { type: 'submit' }, label);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    problem.hidden = true;
    if (!fields.map((one) => one.check(isNew)).every(Boolean)) {
      fields.find((one) => one.input.getAttribute('aria-invalid') === 'true')?.input.focus();
      return;
    }
    button.disabled = true;
    try {
      await send();
    } catch (refusal) {
      if (signal.aborted) return;
      button.disabled = false;
      problem.hidden = false;
      problem.textContent = sentenceOf(refusal);
      culprit?.(refusal)?.input.focus();
    }
  };
  return h('form', { novalidate: true, onsubmit: submit }, problem, fields.map((one) => one.element), button);
}

/**
 * @param {string} title
 * @param {string} lead
 * @param {...(Node | string)} children
 * @returns {HTMLElement} a narrow page with one panel
 */
export function panelPage(title, lead, ...children) {
  return h('div.page.narrow', null, h('div.panel.sign', null, h('h1', null, title), h('p.lead', null, lead), ...children));
}
