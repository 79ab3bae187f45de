// @ts-check
/** Questions that wait for an answer. */

import { h } from '../dom.js';

/**
 * Ask, and answer whether the visitor agreed. Escape and leaving the page mean no.
 *
 * @param {{title: string, text: string, yes: string, no: string, isDanger?: boolean}} words
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, no, isDanger = false }, signal) {
  const dialog = h('dialog.dialog', { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' },
    h('form', { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      h('p', { id: 'dialog-text' }, text),
      h('div.dialog-buttons', null,
        h('button.button.quiet', { value: 'no' }, no),
        h('button.button', { value: 'yes', class: isDanger ? 'button danger' : 'button primary' }, yes))));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
    signal.addEventListener('abort', () => dialog.close('no'), { once: true });
    dialog.showModal();
  });
}
