"""WebSockets: connections, the way out to each, and the broadcast to all who watch."""
