//! How much fits into a comment.

/// How long a comment may be: both limits are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    utf16_units: usize,
    bytes: usize,
}

impl Budget {
    /// Less than this cannot hold what is never left out.
    pub const LEAST: Self = Self { utf16_units: 12_000, bytes: 24_000 };

    /// A budget of so many UTF-16 units, as GitHub counts characters, and so many bytes; at least [`Budget::LEAST`].
    #[must_use]
    pub fn new(utf16_units: usize, bytes: usize) -> Self {
        Self { utf16_units: utf16_units.max(Self::LEAST.utf16_units), bytes: bytes.max(Self::LEAST.bytes) }
    }

    /// How many UTF-16 units.
    #[must_use]
    pub const fn utf16_units(self) -> usize {
        self.utf16_units
    }

    /// How many bytes of UTF-8.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }

    /// Whether a text fits.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        Room::of(self).without(Room::for_text(text)).is_some()
    }
}

impl Default for Budget {
    /// What GitHub takes, with some room: 65,536 characters, and fewer bytes than 262,144
    /// (`../shared/facts/pains-and-conventions.md` §4.7). GitLab and Azure Repos take more.
    fn default() -> Self {
        Self { utf16_units: 60_000, bytes: 200_000 }
    }
}

/// How long a text is, or how much room there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Room {
    utf16_units: usize,
    bytes: usize,
}

impl Room {
    pub(super) fn of(budget: Budget) -> Self {
        Self { utf16_units: budget.utf16_units, bytes: budget.bytes }
    }

    /// What a text needs.
    pub(super) fn for_text(text: &str) -> Self {
        Self { utf16_units: text.encode_utf16().count(), bytes: text.len() }
    }

    /// One of so many equal parts of it.
    pub(super) fn part(self, parts: usize) -> Self {
        let parts = parts.max(1);
        Self { utf16_units: self.utf16_units / parts, bytes: self.bytes / parts }
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self { utf16_units: self.utf16_units + other.utf16_units, bytes: self.bytes + other.bytes }
    }

    /// As much of both as the other has, at most.
    pub(super) fn at_most(self, other: Self) -> Self {
        Self { utf16_units: self.utf16_units.min(other.utf16_units), bytes: self.bytes.min(other.bytes) }
    }

    /// What is left without `other`, when there is as much.
    pub(super) fn without(self, other: Self) -> Option<Self> {
        let utf16_units = self.utf16_units.checked_sub(other.utf16_units)?;
        Some(Self { utf16_units, bytes: self.bytes.checked_sub(other.bytes)? })
    }

    /// Takes the room for `text`, when there is enough of it.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let left = self.without(Self::for_text(text));
        *self = left.unwrap_or(*self);
        left.is_some()
    }
}
