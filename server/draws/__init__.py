"""The verifiable draw at work: published heads, signed receipts, the published document, and how it is verified."""
