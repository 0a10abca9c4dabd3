//! (on its way)
