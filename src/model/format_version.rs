//! Versions of the formats that arcflux writes and reads again: a new minor adds, a new major breaks.

/// Whether a reader of format `ours` understands `found`: the same major, and no newer minor.
#[must_use]
pub fn understands(ours: &str, found: &str) -> bool {
    match (numbers(ours), numbers(found)) {
        (Some((our_major, our_minor)), Some((major, minor))) => major == our_major && minor <= our_minor,
        (None, _) | (_, None) => false,
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::understands;

    #[test]
    fn older_minors_are_understood_and_nothing_newer() {
        for found in ["1.0", "1.1", "1.2"] {
            assert!(understands("1.2", found), "{found}");
        }
        for found in ["1.3", "2.0", "0.9", "1", "", "1.x", "one.two"] {
            assert!(!understands("1.2", found), "{found}");
        }
    }
}
