// @ts-check
/** Which language the pages speak: the one that was chosen here, else the first of the browser's that we have. */

/** What each calls itself. */
export const LANGUAGES = /** @type {Record<string, string>} */ ({ en: 'English', de: 'Deutsch' });

const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur'];
const KEY = 'usher.language';

/** @param {string} tag @returns {string} "de" of "de-AT" */
const languageOf = (tag) => tag.split('-')[0].toLowerCase();

const chosen = remembered();
const wished = navigator.languages.find((tag) => languageOf(tag) in LANGUAGES);

/** A key of LANGUAGES. */
export const language = chosen ?? languageOf(wished ?? 'en');

/** The same with the browser's region, where it names one: dates in London are not those in New York. */
export const locale = navigator.languages.find((tag) => languageOf(tag) === language) ?? language;

document.documentElement.lang = language;
document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr';

/** Speak this one from now on. The page is made anew; what is held or chosen outlives that. @param {string} next */
export function chooseLanguage(next) {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    return; // Without storage the browser's own languages decide.
  }
  location.reload();
}

/** @returns {string | null} */
function remembered() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept !== null && Object.hasOwn(LANGUAGES, kept) ? kept : null;
  } catch {
    return null;
  }
}
