// @ts-check
/** Every word that the pages say, in one place. */

/** @param {number} n @param {string} one @param {string} many */
const plural = (n, one, many) => `${n.toLocaleString()} ${n === 1 ? one : many}`;

/** @param {string[]} items @returns {string} "C14, C15 and C16" */
const list = (items) => new Intl.ListFormat('en', { style: 'long', type: 'conjunction' }).format(items);

export const T = {
  appName: 'Usher',
  skip: 'Skip to the content',
  loading: 'Loading…',
  retry: 'Try again',
  close: 'Close',
  notes: 'Notes',
  seats: (/** @type {number} */ n) => plural(n, 'seat', 'seats'),
  tickets: (/** @type {number} */ n) => plural(n, 'ticket', 'tickets'),

  nav: {
    label: 'Main',
    events: 'Events',
    orders: 'My orders',
    signIn: 'Sign in',
    signOut: 'Sign out',
    register: 'Create an account',
    signedInAs: (/** @type {string} */ name) => `Signed in as ${name}`,
    signedOut: 'You are signed out. Your held seats stay yours until their time runs out.',
  },

  footer: 'A live seat map. Every seat is sold once.',
  forPrograms: 'For programs',

  error: {
    title: 'That did not work',
    unreachable: 'The server cannot be reached. Check your connection, then try again.',
    unknown: 'Something went wrong. Please try again.',
    notFoundTitle: 'Nothing here',
    notFound: 'There is no page at this address. It may have moved, or the link may be cut short.',
    noEvent: 'There is no such event. It may be over, or the link may be cut short.',
    noOrder: 'There is no such order in your account.',
    toEvents: 'See all events',
    map: 'The seat map could not be loaded.',
  },

  events: {
    title: 'Find your seat',
    lead: 'Live seat maps. What you see is what is left, this second.',
    search: 'Search events, artists, venues',
    searchLabel: 'Search',
    category: 'Category',
    status: 'Status',
    anyStatus: 'Any status',
    allCategories: 'All',
    count: (/** @type {number} */ n) => plural(n, 'event', 'events'),
    empty: 'No event matches.',
    emptyHint: 'Try another word, or take away a filter.',
    clear: 'Clear search and filters',
    previous: 'Previous page',
    next: 'Next page',
    page: (/** @type {number} */ page, /** @type {number} */ pages) => `Page ${page} of ${pages}`,
    pages: 'Pages',
    left: (/** @type {number} */ n) => `${plural(n, 'seat', 'seats')} left`,
    fewLeft: (/** @type {number} */ n) => `Only ${plural(n, 'seat', 'seats')} left`,
  },

  categories: /** @type {Record<string, string>} */ ({
    concert: 'Concerts', sports: 'Sports', theater: 'Theatre', comedy: 'Comedy', other: 'Other',
  }),

  kinds: /** @type {Record<string, string>} */ ({
    concert: 'Concert', sports: 'Sports', theater: 'Theatre', comedy: 'Comedy', other: 'Event',
  }),

  statuses: /** @type {Record<string, string>} */ ({
    upcoming: 'On sale soon', on_sale: 'On sale', sold_out: 'Sold out', completed: 'Over', cancelled: 'Cancelled',
  }),
  saleStarts: (/** @type {string} */ when) => `On sale ${when}`,

  sign: {
    inTitle: 'Welcome back',
    inLead: 'Sign in to hold and buy seats.',
    upTitle: 'Create your account',
    upLead: 'One account for your holds, orders and tickets.',
    name: 'Name',
    email: 'Email',
    password: 'Password',
    passwordHint: 'At least 8 characters, and not a common one.',
    signIn: 'Sign in',
    register: 'Create account',
    toRegister: 'New here?',
    toSignIn: 'Have an account already?',
    missing: (/** @type {string} */ field) => `${field} is needed.`,
    badEmail: 'This does not look like an email address.',
    shortPassword: 'A password has at least 8 characters.',
    welcome: (/** @type {string} */ name) => `Welcome, ${name}.`,
  },

  mailed: {
    forgot: 'Forgot your password?',
    forgotTitle: 'Forgot your password?',
    forgotLead: 'We mail you a link to choose a new one. It is good for an hour.',
    askReset: 'Mail me a link',
    askedTitle: 'Look into your mail',
    asked: 'If there is an account with this address, a link is on its way. It may take a minute; look among the unwanted mail, too.',
    resetTitle: 'Choose a new password',
    resetLead: 'You will be signed out everywhere, and sign in with the new one.',
    reset: 'Change password',
    changed: 'Password changed. Sign in with it.',
    verifyTitle: 'Confirm your email address',
    verifyLead: 'One click, and we know that our mail reaches you.',
    verify: 'This is my address',
    verified: 'Thank you. Your email address is confirmed.',
    noToken: 'This link is not whole. Open the one in your mail again, or copy all of it.',
  },

  connection: {
    connecting: 'Connecting',
    live: 'Live',
    reconnecting: 'Reconnecting',
    offline: 'Offline',
    lastUpdate: (/** @type {number} */ s) => `last update ${s < 90 ? `${s} s` : `${Math.round(s / 60)} min`} ago`,
    liveHint: 'The map shows every change at once.',
    lostHint: 'The map may be out of date until the connection is back. Your hold is kept by the server.',
    lost: 'Connection lost. The map may be out of date; your hold is kept.',
    back: 'Connection is back.',
    final: 'The connection was closed by the server.',
    reload: 'Reload the page',
  },

  event: {
    by: (/** @type {string} */ artist) => `by ${artist}`,
    doors: 'Times are shown in your time zone.',
    notOnSaleTitle: 'Not on sale yet',
    notOnSale: (/** @type {string} */ when) => `The sale starts on ${when}. You can look around the map already.`,
    startsIn: 'Starts in',
    days: 'days', hours: 'hours', minutes: 'min', seconds: 's',
    soldOutTitle: 'Sold out',
    soldOut: 'Every seat is taken. Seats that are given back show up here at once.',
    overTitle: 'This event is over',
    over: 'Thank you to everyone who came.',
    cancelledTitle: 'This event is cancelled',
    cancelled: 'Tickets are no longer sold.',
    nowOnSale: 'The sale has started.',
    available: (/** @type {number} */ n) => `${n.toLocaleString()} available`,
    waitingRoom: 'This event has a waiting room.',
    ahead: (/** @type {number} */ n) => `${plural(n, 'person is', 'people are')} ahead of you. Your place is kept.`,
    perCustomer: (/** @type {number} */ n) => `Up to ${plural(n, 'ticket', 'tickets')} for each customer`,
  },

  legend: {
    label: 'Price categories',
    states: 'What the marks mean',
    left: (/** @type {number} */ n) => `${n.toLocaleString()} left`,
    filterHint: 'Show only this category',
    all: 'All prices',
    available: 'Available', accessible: 'Wheelchair', held: 'Held', sold: 'Sold', selected: 'Chosen', mine: 'Yours',
  },

  tiers: /** @type {Record<string, string>} */ ({
    vip: 'VIP', premium: 'Premium', standard: 'Standard', economy: 'Economy',
  }),

  map: {
    label: 'Seat map',
    role: 'seat map',
    help: 'Arrow keys move from seat to seat, Enter or Space chooses, plus and minus zoom, 0 shows the whole venue. '
      + 'The seat list offers the same.',
    zoomIn: 'Zoom in', zoomOut: 'Zoom out', whole: 'Whole venue',
    loading: 'Drawing the venue…',
    section: (/** @type {string} */ name) => (/^[A-Z]?\d*[A-Z]?$/.test(name) ? `Section ${name}` : name),
    seat: (/** @type {string} */ section, /** @type {string} */ row, /** @type {string} */ number) =>
      `${T.map.section(section)}, row ${row}, seat ${number}`,
    short: (/** @type {string} */ row, /** @type {string} */ number) =>
      /\d$/.test(row) ? `${row}-${number}` : `${row}${number}`,
    accessible: 'wheelchair access',
    companion: 'companion seat',
    restricted: 'restricted view',
    zoomHint: 'Click to zoom in',
  },

  looks: {
    available: 'available', held: 'held by somebody', sold: 'sold', blocked: 'not for sale', selected: 'chosen',
    mine: 'held for you',
  },

  list: {
    title: 'Seat list',
    lead: 'Everything on the map, as a list.',
    row: (/** @type {string} */ label) => `Row ${label}`,
    left: (/** @type {number} */ n) => `${n.toLocaleString()} left`,
    leftOf: (/** @type {number} */ n, /** @type {number} */ of) => `${n.toLocaleString()} of ${of.toLocaleString()}`,
    leftSpoken: (/** @type {number} */ n, /** @type {number} */ of) =>
      `${n.toLocaleString()} of ${of.toLocaleString()} seats available`,
    none: 'none left',
    seatsOf: (/** @type {string} */ row) => `Seats of row ${row}. Arrow keys move, Enter or Space chooses.`,
    from: (/** @type {string} */ price) => `from ${price}`,
    showOnMap: 'Show on the map',
  },

  basket: {
    title: 'Your seats',
    emptyTitle: 'Pick your seats',
    empty: 'Choose seats on the map or in the list. Nothing is held until you say so.',
    emptySteps: ['Choose seats', 'Hold them for ten minutes', 'Pay'],
    chosen: 'Chosen',
    held: 'Held for you',
    total: 'Total',
    remove: (/** @type {string} */ seat) => `Remove ${seat}`,
    release: (/** @type {string} */ seat) => `Give back ${seat}`,
    releaseAll: 'Give all back',
    clear: 'Clear',
    hold: (/** @type {number} */ n) => `Hold ${plural(n, 'seat', 'seats')}`,
    holdMore: (/** @type {number} */ n) => `Hold ${plural(n, 'more seat', 'more seats')}`,
    holding: 'Holding…',
    signInToHold: 'Sign in to hold seats',
    signInKeeps: 'Your choice is kept while you sign in.',
    timeLeft: 'Time left',
    extend: 'More time',
    extendHint: 'Once per hold',
    extended: 'Extended',
    payment: 'Pay with',
    methods: [
      { value: 'test-card', label: 'Test card', hint: 'Always accepted' },
      { value: 'decline', label: 'Declining card', hint: 'Refused, to see what happens' },
    ],
    pay: (/** @type {string} */ price) => `Pay ${price}`,
    paying: 'Paying…',
    waitingForBank: 'The payment is still being decided. You can close this page: the result will be in your orders.',
    testOnly: 'A demonstration: no money moves.',
    notSentYet: 'Will be sent as soon as the connection is back.',
    full: (/** @type {number} */ n) => `You can have up to ${plural(n, 'seat', 'seats')} in this event.`,
    fullCommand: (/** @type {number} */ n) => `Up to ${plural(n, 'seat', 'seats')} can be held at once.`,
  },

  notices: {
    held: (/** @type {string} */ names, /** @type {number} */ n) =>
      n === 1 ? `${names} is held for you.` : `${names} are held for you.`,
    released: (/** @type {string} */ names, /** @type {number} */ n) =>
      n === 1 ? `${names} was given back.` : `${names} were given back.`,
    extended: 'You have more time now.',
    taken: (/** @type {string} */ names, /** @type {number} */ n) =>
      n === 1 ? `Seat ${names} was just taken.` : `Seats ${names} were just taken.`,
    blocked: (/** @type {string} */ names, /** @type {number} */ n) =>
      n === 1 ? `Seat ${names} is not for sale.` : `Seats ${names} are not for sale.`,
    unavailable: (/** @type {string} */ name, /** @type {string} */ look) => `${name} is ${look}.`,
    kept: 'The others are still chosen.',
    minutesLeft: (/** @type {number} */ n) => `${plural(n, 'minute', 'minutes')} left to pay.`,
    secondsLeft: (/** @type {number} */ n) => `${n} seconds left to pay.`,
    soldElsewhere: 'Your seats were bought in another window.',
    paid: 'Paid. Here are your tickets.',
    paymentFailed: 'The payment was declined. Your seats are still held: try another way to pay.',
    sessionEnded: 'Your session has ended. Sign in again to go on; your hold is kept.',
  },

  refusals: /** @type {Record<string, string>} */ ({
    not_signed_in: 'Sign in to do this.',
    not_on_sale: 'This event is not on sale.',
    proof_required: 'Solve the challenge of the waiting room before you join.',
    not_admitted: 'Your turn in the waiting room has not come yet.',
    seat_not_found: 'There is no such seat.',
    limit_reached: 'This is more than one customer may have for this event.',
    orphan_seat: 'This would leave a single seat alone. Choose the seat beside it, or move along.',
    hold_not_found: 'You hold no seats in this event.',
    hold_expired: 'The time of your hold has run out.',
    extend_used: 'A hold can be extended only once.',
    rate_limited: 'Too many tries. Wait a moment.',
    overloaded: 'Very many people are buying right now. Please try again.',
    busy: 'This is being worked on. Please try again.',
    try_again: 'This could not be decided just now. Please try again.',
  }),

  expired: {
    title: 'Your time ran out',
    text: (/** @type {string} */ names) => `Your hold on ${names} has ended, and the seats are on sale again.`,
    again: 'Try to hold the same seats again',
    no: 'No, thank you',
  },

  orders: {
    title: 'My orders',
    empty: 'No orders yet.',
    emptyHint: 'Tickets that you buy are kept here.',
    statuses: /** @type {Record<string, string>} */ ({
      pending: 'Waiting for the payment', completed: 'Paid', cancelled: 'Cancelled', refunded: 'Refunded',
      payment_failed: 'Payment failed',
    }),
    ordered: (/** @type {string} */ when) => `Ordered ${when}`,
    number: (/** @type {string} */ id) => `Order ${id.slice(0, 8).toUpperCase()}`,
  },

  order: {
    thanksTitle: 'You’re going!',
    thanks: 'The seats are yours.',
    tickets: 'Tickets',
    section: 'Section', row: 'Row', seat: 'Seat', price: 'Price',
    when: 'When', where: 'Where', total: 'Total',
    cancel: 'Cancel order',
    cancelTitle: 'Cancel this order?',
    cancelText: 'The tickets stop being valid and the seats go back on sale at once. This cannot be undone.',
    cancelYes: 'Cancel the order',
    cancelNo: 'Keep it',
    cancelling: 'Cancelling…',
    cancelled: 'The order is cancelled.',
    cancelledText: 'These tickets are no longer valid.',
    toEvent: 'Go to the event',
    print: 'Print tickets',
    all: 'All my orders',
  },

  list_of: list,
};
