"""Every limit that a client can meet. Units come last in the names."""

PROTOCOL_VERSION = 1
SUBPROTOCOL = "usher.v1"

MESSAGE_BYTES_MAX = 16 * 1024
COMMAND_ID_CHARS_MAX = 64
SEATS_PER_COMMAND_MAX = 10
SEATS_PER_RELEASE_MAX = 100
PAYMENT_METHOD_CHARS_MAX = 64
NAME_CHARS_MAX = 200

HOLD_DURATION_S = 600
HOLD_LIFETIME_MAX_S = 1_200
HOLD_EXPIRED_MEMORY_S = 900
"""How long a customer is told `hold_expired` rather than `hold_not_found` after a hold ran out."""

ADMISSION_DURATION_S = 900
CALL_DURATION_S = 120
PRESENCE_DURATION_S = 30
NONCE_HEX_CHARS = 64
PROOF_CHARS_MAX = 4_096

CHECKOUT_ANSWER_S = 10
COMMAND_MEMORY_S = 48 * 3600
HEARTBEAT_S = 15
TICKET_DURATION_S = 30
SESSION_DURATION_S = 24 * 3600

MEANINGS: dict[str, str] = {
    "MESSAGE_BYTES_MAX": "of a client's message",
    "COMMAND_ID_CHARS_MAX": "of a command's id",
    "SEATS_PER_COMMAND_MAX": "to hold in one command",
    "SEATS_PER_RELEASE_MAX": "to release in one command",
    "PAYMENT_METHOD_CHARS_MAX": "of a payment method",
    "NAME_CHARS_MAX": "of a section's or price tier's name",
    "HOLD_DURATION_S": "that a hold lasts after the last command that added a seat",
    "HOLD_LIFETIME_MAX_S": "that a hold lasts after its first seat, an extension included",
    "HOLD_EXPIRED_MEMORY_S": "for which a customer is told `hold_expired` after a hold ran out",
    "ADMISSION_DURATION_S": "that an admission lasts, and longer for what is held or being paid",
    "CALL_DURATION_S": "for whose turn comes while away to come back; gone for as long, an admission ends",
    "PRESENCE_DURATION_S": "after its last request or the end of its last socket that a customer counts as present",
    "NONCE_HEX_CHARS": "of the number that a customer may bring to the draw",
    "PROOF_CHARS_MAX": "characters of a `proof`",
    "CHECKOUT_ANSWER_S": "until a checkout is answered with a `pending` order",
    "COMMAND_MEMORY_S": "for which an accepted command is remembered, and answered again",
    "HEARTBEAT_S": "between two heartbeats",
    "TICKET_DURATION_S": "that a ticket for a socket is good for",
    "SESSION_DURATION_S": "that a session lasts",
}
"""What each limit limits, for the reference; the units are in the names."""
