//! Places in a source text.

use serde::Serialize;

/// A source text and what to call it in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// File name as the user typed it; `<stdin>` for standard input.
    pub name: String,
    /// The whole text, as UTF-8, exactly as read.
    pub text: String,
}

/// A range in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Byte offset of the first byte, from 0.
    pub start: usize,
    /// Byte offset after the last byte; equal to `start` where only a point is known.
    pub end: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}
