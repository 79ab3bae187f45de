-- What has run out is dropped each hour: it is found by its end, and sessions take their tickets with them.
CREATE INDEX session_ended ON session (expires_at);
CREATE INDEX socket_ticket_session ON socket_ticket (session_hash);
CREATE INDEX socket_ticket_ended ON socket_ticket (expires_at);
CREATE INDEX mail_token_ended ON mail_token (expires_at);
CREATE INDEX device_unused ON device (signed_in_at);
