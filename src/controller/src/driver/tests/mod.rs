//! The driver's parts as values, and the whole of it over a scripted API server.
