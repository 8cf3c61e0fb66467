//! Values of the other nouns to text: for people, for pull requests, for programs. A view decides how something looks,
//! never what is true, and each view escapes what it shows at its own edge.

pub mod diagnostics;
mod escape;
