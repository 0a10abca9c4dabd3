//! What the stores promise.

mod directory;
