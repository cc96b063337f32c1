//! Webhook handlers as values.
