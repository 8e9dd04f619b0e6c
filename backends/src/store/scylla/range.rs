//! A range of clustering keys as a restriction in CQL.
//!
//! ScyllaDB takes either restrictions of single columns or of tuples in one statement, not both. So: what both bounds begin with
//! becomes equalities if at most one column is left to compare; otherwise all is compared as tuples, whose lengths may differ.

use std::ops::Bound;

use playhead_domain::store::{ClusteringRange, Order, Value};

/// The form of a range: all that matters for the statement's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Leading columns that are fixed.
    equal: usize,
    from: Option<Edge>,
    to: Option<Edge>,
    pub(super) is_descending: bool,
}

/// A bound over `columns` columns: one after the fixed ones, or a tuple of the first ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Edge {
    columns: usize,
    is_inclusive: bool,
}

/// A range to ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan<'a> {
    pub(super) shape: Shape,
    /// In the order of the restriction's question marks.
    pub(super) values: Vec<&'a Value>,
}

type Prefix<'a> = Option<(&'a [Value], bool)>;

/// `None`: no row can be inside.
pub(super) fn plan(range: &ClusteringRange, order: Order) -> Option<Plan<'_>> {
    let (from, to) = (prefix(&range.from)?, prefix(&range.to)?);
    let fixed = fixed(from, to)?;
    let left = |bound: Prefix<'_>| bound.map_or(0, |(values, _)| values.len() - fixed);
    let by_column = left(from) <= 1 && left(to) <= 1;
    let start = if by_column { fixed } else { 0 };
    let edge = |bound: Prefix<'_>| {
        let (values, is_inclusive) = bound?;
        let columns = values.len() - start;
        (columns > 0).then_some(Edge { columns, is_inclusive })
    };
    let shape =
        Shape { equal: start, from: edge(from), to: edge(to), is_descending: order == Order::Descending };
    let equalities = values_of(from).iter().take(start);
    let compared = [from, to].into_iter().flat_map(|bound| values_of(bound).iter().skip(start));
    Some(Plan { shape, values: equalities.chain(compared).collect() })
}

fn values_of(bound: Prefix<'_>) -> &[Value] {
    bound.map_or(&[], |(values, _)| values)
}

/// The outer `None`: nothing is inside. The inner one: the bound excludes nothing.
fn prefix(bound: &Bound<Vec<Value>>) -> Option<Prefix<'_>> {
    match bound {
        Bound::Unbounded => Some(None),
        // The empty prefix stands for every row.
        Bound::Included(values) if values.is_empty() => Some(None),
        Bound::Excluded(values) if values.is_empty() => None,
        Bound::Included(values) => Some(Some((values, true))),
        Bound::Excluded(values) => Some(Some((values, false))),
    }
}

/// How many leading columns both bounds fix; `None` when they leave nothing in between.
fn fixed(from: Prefix<'_>, to: Prefix<'_>) -> Option<usize> {
    let (Some((from, from_included)), Some((to, to_included))) = (from, to) else { return Some(0) };
    let length = from.len().min(to.len());
    match from[..length].cmp(&to[..length]) {
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Less => Some(from.iter().zip(to).take_while(|(one, other)| one == other).count()),
        std::cmp::Ordering::Equal => {
            // The shorter one stands for all rows that start with it, the other's among them.
            let excludes_all =
                (from.len() == length && !from_included) || (to.len() == length && !to_included);
            (!excludes_all).then_some(length)
        }
    }
}

impl Shape {
    /// The restriction over the table's clustering columns, unless every row is asked for.
    pub(super) fn restriction(self, columns: &[String]) -> Option<String> {
        let mut parts: Vec<String> =
            columns[..self.equal].iter().map(|column| format!("{column} = ?")).collect();
        let mut compare = |edge: Option<Edge>, sign: &str| {
            let Some(edge) = edge else { return };
            let columns = &columns[self.equal..self.equal + edge.columns];
            let equals = if edge.is_inclusive { "=" } else { "" };
            let part = match columns {
                [column] if self.is_by_column() => format!("{column} {sign}{equals} ?"),
                _ => {
                    let marks = vec!["?"; columns.len()].join(", ");
                    format!("({}) {sign}{equals} ({marks})", columns.join(", "))
                }
            };
            parts.push(part);
        };
        compare(self.from, ">");
        compare(self.to, "<");
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    fn is_by_column(self) -> bool {
        [self.from, self.to].into_iter().flatten().all(|edge| edge.columns == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(numbers: &[i64]) -> Vec<Value> {
        numbers.iter().map(|&number| Value::Int(number)).collect()
    }

    fn planned(from: Bound<&[i64]>, to: Bound<&[i64]>) -> Option<(Option<String>, Vec<i64>)> {
        let range = ClusteringRange { from: from.map(values), to: to.map(values) };
        let plan = plan(&range, Order::Ascending)?;
        let number = |value: &&Value| match value {
            Value::Int(number) => *number,
            _ => 0,
        };
        let columns = ["a", "b", "c"].map(str::to_owned);
        Some((plan.shape.restriction(&columns), plan.values.iter().map(number).collect()))
    }

    fn expect(from: Bound<&[i64]>, to: Bound<&[i64]>, text: &str, numbers: &[i64]) {
        assert_eq!(planned(from, to), Some((Some(text.to_owned()), numbers.to_vec())));
    }

    #[test]
    fn one_column_that_is_left_is_compared_alone() {
        use Bound::{Excluded, Included, Unbounded};
        assert_eq!(planned(Unbounded, Included(&[])), Some((None, vec![])));
        expect(Unbounded, Excluded(&[5]), "a < ?", &[5]);
        expect(Included(&[1]), Included(&[5]), "a >= ? AND a <= ?", &[1, 5]);
        expect(Included(&[1]), Included(&[1]), "a = ?", &[1]);
        expect(Excluded(&[1, 2]), Included(&[1]), "a = ? AND b > ?", &[1, 2]);
        expect(Included(&[1]), Excluded(&[1, 7]), "a = ? AND b < ?", &[1, 7]);
        expect(Included(&[1, 2]), Included(&[1, 2]), "a = ? AND b = ?", &[1, 2]);
    }

    #[test]
    fn more_columns_are_compared_as_tuples() {
        use Bound::{Excluded, Included, Unbounded};
        expect(Excluded(&[1, 2]), Unbounded, "(a, b) > (?, ?)", &[1, 2]);
        expect(Excluded(&[1, 2]), Included(&[5]), "(a, b) > (?, ?) AND (a) <= (?)", &[1, 2, 5]);
        expect(
            Excluded(&[1, 2, 3]),
            Excluded(&[1, 7, 8]),
            "(a, b, c) > (?, ?, ?) AND (a, b, c) < (?, ?, ?)",
            &[1, 2, 3, 1, 7, 8],
        );
    }

    #[test]
    fn ranges_without_rows_are_not_asked_for() {
        use Bound::{Excluded, Included, Unbounded};
        for (from, to) in [
            (Excluded(&[][..]), Unbounded),
            (Unbounded, Excluded(&[][..])),
            (Included(&[5][..]), Included(&[4, 9][..])),
            (Excluded(&[5]), Included(&[5, 9])),
            (Included(&[5, 9]), Excluded(&[5])),
            (Excluded(&[5, 9]), Included(&[5, 9])),
        ] {
            assert_eq!(planned(from, to), None, "{from:?} {to:?}");
        }
    }
}
