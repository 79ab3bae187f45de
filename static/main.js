// @ts-check
/** Where the browser application begins: the shell, the addresses and their pages. */

import { route, startRouter } from './router.js';
import { session } from './session.js';
import { T } from './texts.js';
import { eventPage } from './views/event_page.js';
import { eventsPage } from './views/events_page.js';
import { forgotPage, resetPage, verifyPage } from './views/mailed_pages.js';
import { orderPage, ordersPage } from './views/orders_page.js';
import { buildShell } from './views/shell.js';
import { registerPage, signInPage } from './views/sign_page.js';
import { nothingHere } from './views/states.js';

const { main, onPath } = buildShell();

route('/', eventsPage);
route('/events/:id', (visit) => void eventPage(visit));
route('/orders', (visit) => void ordersPage(visit));
route('/orders/:id', (visit) => void orderPage(visit));
route('/login', signInPage);
route('/register', registerPage);
route('/forgot-password', forgotPage);
route('/reset-password', resetPage);
route('/verify-email', verifyPage);

startRouter(main, ({ root }) => nothingHere(root, T.error.notFound), onPath);
// Only the links at the top wait for this; without an answer they stay as they are.
session.load().catch(() => {});
