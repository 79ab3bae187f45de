"""Mail to customers: what it says, the port that sends it, and the line before the port."""
