//! Where boxes and arrows stand: columns from left to right, each box in the column after the last of what it needs.
//!
//! It knows numbers alone, no plan, and computes with integers: the same picture everywhere.

use std::collections::BTreeSet;

/// The size of every box and of what lies between them, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Between two columns.
    pub(super) across: i32,
    /// Between two boxes of a column.
    pub(super) down: i32,
}

/// A place: the upper left corner of a box, or a point of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of each box, its upper left corner.
    pub(super) boxes: Vec<Point>,
    /// Of each arrow, the points that it goes through: from the right side of a box to the left side of another. Between
    /// the second and the third point, the fourth and the fifth and so on it crosses a column, straight.
    pub(super) arrows: Vec<Vec<Point>>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// How often columns are put in order, and their boxes moved towards what they are joined with. More changes little.
const SWEEPS: usize = 6;

/// The edges that do not follow from others: where `a → b → c`, `a → c` says nothing new. Every edge goes from a lower
/// number to a higher one; others are left out.
pub(super) fn reduced(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    let mut kept = Vec::new();
    for node in 0..count {
        let direct: Vec<usize> =
            edges.iter().filter(|(from, to)| *to == node && from < to).map(|(from, _)| *from).collect();
        let indirect: BTreeSet<usize> = direct.iter().flat_map(|one| before[*one].iter().copied()).collect();
        kept.extend(direct.iter().filter(|one| !indirect.contains(one)).map(|one| (*one, node)));
        before[node] = direct.into_iter().chain(indirect).collect();
    }
    kept
}

/// The column of each box. Edges are as [`reduced`] takes them.
pub(super) fn columns(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut columns = vec![0; count];
    let mut by_target: Vec<(usize, usize)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
    by_target.sort_unstable();
    for (to, from) in by_target.into_iter().filter(|(to, from)| from < to) {
        columns[to] = columns[to].max(columns[from] + 1);
    }
    columns
}

/// Something that takes up room in a column: a box, or an arrow on its way through.
struct Slot {
    column: usize,
    /// The slots before it and after it that it is joined with.
    joined: [Vec<usize>; 2],
    is_box: bool,
    /// Where its middle is.
    y: i32,
}

/// Lays out `count` boxes.
pub(super) fn layered(count: usize, edges: &BTreeSet<(usize, usize)>, sizes: Sizes) -> Layout {
    let edges = reduced(count, edges);
    let columns = columns(count, &edges.iter().copied().collect());
    let slot = |column, is_box| Slot { column, joined: [Vec::new(), Vec::new()], is_box, y: 0 };
    let mut slots: Vec<Slot> = columns.iter().map(|column| slot(*column, true)).collect();
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for (from, to) in &edges {
        let mut chain = vec![*from];
        for column in columns[*from] + 1..columns[*to] {
            chain.push(slots.len());
            slots.push(slot(column, false));
        }
        chain.push(*to);
        for pair in chain.windows(2) {
            slots[pair[0]].joined[1].push(pair[1]);
            slots[pair[1]].joined[0].push(pair[0]);
        }
        chains.push(chain);
    }
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); columns.iter().max().map_or(0, |last| last + 1)];
    for (place, slot) in slots.iter().enumerate() {
        order[slot.column].push(place);
    }
    untangle(&slots, &mut order);
    settle(&mut slots, &order, sizes);
    place(&slots, &chains, count, order.len(), sizes)
}

/// Puts each column in the order of what it is joined with, from the left and from the right in turn.
fn untangle(slots: &[Slot], order: &mut [Vec<usize>]) {
    let mut rank = vec![0; slots.len()];
    for sweep in 0..SWEEPS {
        for column in order.iter() {
            for (position, slot) in column.iter().enumerate() {
                rank[*slot] = position;
            }
        }
        let side = sweep % 2;
        let count = order.len();
        for step in 0..count {
            let column = &mut order[if side == 0 { step } else { count - 1 - step }];
            column.sort_by_cached_key(|slot| {
                let joined = &slots[*slot].joined[side];
                let sum: usize = joined.iter().map(|one| rank[*one]).sum();
                // In thousandths, so that means can be told apart without fractions.
                let mean = if joined.is_empty() { rank[*slot] * 1000 } else { sum * 1000 / joined.len() };
                (mean, rank[*slot])
            });
            for (position, slot) in column.iter().enumerate() {
                rank[*slot] = position;
            }
        }
    }
}

/// Moves the slots of each column towards the middle of what they are joined with, in their order and with room between.
fn settle(slots: &mut [Slot], order: &[Vec<usize>], sizes: Sizes) {
    // Between the middles of two neighbours; an arrow on its way needs less room than a box.
    let room = |one: bool, next: bool| match (one, next) {
        (true, true) => sizes.height + sizes.down,
        (true, false) | (false, true) => sizes.height / 2 + sizes.down,
        (false, false) => sizes.down,
    };
    for sweep in 0..=SWEEPS {
        let side = sweep % 2;
        for step in 0..order.len() {
            let column = &order[if side == 0 { step } else { order.len() - 1 - step }];
            let wanted: Vec<i32> = column
                .iter()
                .map(|slot| {
                    let mut there: Vec<i32> = slots[*slot].joined[side].iter().map(|one| slots[*one].y).collect();
                    there.sort_unstable();
                    match there.as_slice() {
                        [] => slots[*slot].y,
                        some => (some[(some.len() - 1) / 2] + some[some.len() / 2]) / 2,
                    }
                })
                .collect();
            let gaps: Vec<i32> =
                column.windows(2).map(|pair| room(slots[pair[0]].is_box, slots[pair[1]].is_box)).collect();
            // Pushed down as far as needed, pushed up as far as needed, and the middle of both: each keeps the room.
            let mut down = wanted.clone();
            for at in 1..down.len() {
                down[at] = down[at].max(down[at - 1] + gaps[at - 1]);
            }
            let mut up = wanted;
            for at in (1..up.len()).rev() {
                up[at - 1] = up[at - 1].min(up[at] - gaps[at - 1]);
            }
            for (at, slot) in column.iter().enumerate() {
                slots[*slot].y = (down[at] + up[at]).div_euclid(2);
            }
        }
    }
}

fn place(slots: &[Slot], chains: &[Vec<usize>], count: usize, columns: usize, sizes: Sizes) -> Layout {
    let half = sizes.height / 2;
    let top = slots.iter().map(|slot| slot.y - half).min().unwrap_or(0);
    let bottom = slots.iter().map(|slot| slot.y - half + sizes.height).max().unwrap_or(0);
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let left = |slot: &Slot| number(slot.column).saturating_mul(sizes.width + sizes.across);
    let arrow = |chain: &Vec<usize>| {
        let last = chain.len() - 1;
        let mut points = Vec::with_capacity(2 * chain.len());
        for (position, slot) in chain.iter().map(|slot| &slots[*slot]).enumerate() {
            let y = slot.y - top;
            if position > 0 {
                points.push(Point { x: left(slot), y });
            }
            if position < last {
                points.push(Point { x: left(slot) + sizes.width, y });
            }
        }
        points
    };
    Layout {
        boxes: slots[..count].iter().map(|slot| Point { x: left(slot), y: slot.y - half - top }).collect(),
        arrows: chains.iter().map(arrow).collect(),
        width: (number(columns).saturating_mul(sizes.width + sizes.across) - sizes.across).max(0),
        height: bottom - top,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZES: Sizes = Sizes { width: 100, height: 40, across: 50, down: 10 };

    #[test]
    fn what_follows_from_other_edges_is_left_out() {
        let edges = BTreeSet::from([(0, 1), (1, 2), (0, 2), (0, 3), (2, 3), (3, 1)]);
        assert_eq!(reduced(4, &edges), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = layered(3, &BTreeSet::from([(0, 1), (1, 2)]), SIZES);
        assert_eq!(layout.boxes, [Point { x: 0, y: 0 }, Point { x: 150, y: 0 }, Point { x: 300, y: 0 }]);
        assert_eq!((layout.width, layout.height), (400, 40));
        assert_eq!(layout.arrows[0], [Point { x: 100, y: 20 }, Point { x: 150, y: 20 }]);
    }

    #[test]
    fn an_arrow_goes_around_the_boxes_between_its_ends() {
        // 3 needs 2, and 0 of itself; 2 needs 1.
        let layout = layered(5, &BTreeSet::from([(0, 3), (1, 2), (2, 3), (3, 4)]), SIZES);
        let long = layout.arrows.iter().find(|arrow| arrow.len() == 4).unwrap();
        let middle = layout.boxes[2];
        assert_eq!(long[1].x, middle.x);
        assert!(long[1].y < middle.y || long[1].y > middle.y + SIZES.height, "{long:?} crosses {middle:?}");
    }

    #[test]
    fn nothing_is_an_empty_picture() {
        let layout = layered(0, &BTreeSet::new(), SIZES);
        assert_eq!((layout.width, layout.height, layout.boxes.len()), (0, 0, 0));
    }

    proptest! {
        #[test]
        fn boxes_stand_apart_and_arrows_go_right(
            count in 0_usize..40,
            pairs in prop::collection::btree_set((0_usize..40, 0_usize..40), 0..80),
        ) {
            let edges: BTreeSet<_> = pairs.into_iter().filter(|(from, to)| *from < count && *to < count).collect();
            let layout = layered(count, &edges, SIZES);
            prop_assert_eq!(&layout, &layered(count, &edges, SIZES));
            for (place, one) in layout.boxes.iter().enumerate() {
                prop_assert!(one.x >= 0 && one.x + SIZES.width <= layout.width, "{one:?}");
                prop_assert!(one.y >= 0 && one.y + SIZES.height <= layout.height, "{one:?}");
                for other in &layout.boxes[..place] {
                    let apart = (one.y - other.y).abs() >= SIZES.height + SIZES.down;
                    prop_assert!(one.x != other.x || apart, "{one:?} {other:?}");
                }
            }
            for arrow in &layout.arrows {
                prop_assert!(arrow.windows(2).all(|pair| pair[0].x < pair[1].x), "{arrow:?}");
            }
        }
    }
}
