//! Inputs for [`Check::each`](crate::Check::each): all of a kind, the smallest first.

/// Every choice of some of the numbers below `count`: none, each, each two, and so on.
///
/// ```
/// assert_eq!(kata::inputs::subsets(2), [vec![], vec![0], vec![1], vec![0, 1]]);
/// ```
pub fn subsets(count: usize) -> Vec<Vec<usize>> {
    let mut subsets: Vec<Vec<usize>> = vec![Vec::new()];
    for number in 0..count {
        let with: Vec<Vec<usize>> = subsets.iter().map(|subset| [&subset[..], &[number]].concat()).collect();
        subsets.extend(with);
    }
    subsets.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    subsets
}

/// Every order of the numbers below `count`.
///
/// ```
/// assert_eq!(kata::inputs::orders(2), [[0, 1], [1, 0]]);
/// ```
pub fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: &Vec<usize>| {
            let rest = (0..count).filter(|number| !order.contains(number));
            rest.map(|number| [&order[..], &[number]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// So many of these: `1 item`, `2 items`, `no item`.
pub fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ if what.ends_with('s') => format!("{count} {what}es"),
        _ => format!("{count} {what}s"),
    }
}

/// These numbers as people count, from 1: `1, 2 and 5`.
pub fn listed(numbers: &[usize]) -> String {
    let counted: Vec<String> = numbers.iter().map(|number| (number + 1).to_string()).collect();
    match &counted[..] {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Rows of choices, one choice in each column, in which every two choices of two columns come together in some row. `choices`
/// says how many there are in each column.
///
/// All combinations would be too many to try. Most mistakes need one choice or two to be seen, and some row has them. Rows with
/// small numbers come first, so let choice 0 be the simplest one.
///
/// ```
/// // Three columns of two choices: all combinations are 8 rows.
/// assert_eq!(kata::inputs::pairs([2, 2, 2]), [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]);
/// ```
///
/// # Panics
/// If a column has no choice.
pub fn pairs<const COLUMNS: usize>(choices: [usize; COLUMNS]) -> Vec<[usize; COLUMNS]> {
    assert!(choices.iter().all(|count| *count > 0), "a column without a choice: {choices:?}");
    let mut missing = all_pairs(choices);
    let mut rows = Vec::new();
    while let Some(&first) = missing.first() {
        let row = row_around(first, choices, &missing);
        missing.retain(|pair| !pair.is_in(&row));
        rows.push(row);
    }
    if rows.is_empty() {
        // No two columns.
        rows = (0..choices.first().copied().unwrap_or(1)).map(|choice| [choice; COLUMNS]).collect();
    }
    rows.sort_by_key(|row| (row.iter().sum::<usize>(), *row));
    rows
}

/// A choice in each of two columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    columns: [usize; 2],
    choices: [usize; 2],
}

impl Pair {
    fn is_in(self, row: &[usize]) -> bool {
        self.columns.map(|column| row[column]) == self.choices
    }
}

fn all_pairs<const COLUMNS: usize>(choices: [usize; COLUMNS]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (left, right) in (0..COLUMNS).flat_map(|left| (left + 1..COLUMNS).map(move |right| (left, right))) {
        for one in 0..choices[left] {
            pairs.extend((0..choices[right]).map(|other| Pair { columns: [left, right], choices: [one, other] }));
        }
    }
    pairs
}

/// A row that has this pair, and in each other column the choice that makes for the most pairs that are still missing.
fn row_around<const COLUMNS: usize>(first: Pair, choices: [usize; COLUMNS], missing: &[Pair]) -> [usize; COLUMNS] {
    let mut chosen: [Option<usize>; COLUMNS] = [None; COLUMNS];
    for (column, choice) in first.columns.into_iter().zip(first.choices) {
        chosen[column] = Some(choice);
    }
    for column in 0..COLUMNS {
        if chosen[column].is_none() {
            let gain = |choice: usize| {
                let mut tried = chosen;
                tried[column] = Some(choice);
                let had = |pair: &&Pair| {
                    pair.columns.contains(&column) && pair.columns.map(|column| tried[column]) == pair.choices.map(Some)
                };
                missing.iter().filter(had).count()
            };
            // The first of the best.
            chosen[column] = (0..choices[column]).rev().max_by_key(|choice| gain(*choice));
        }
    }
    chosen.map(|choice| choice.expect("every column has a choice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subset_comes_once_and_the_smallest_first() {
        assert_eq!(subsets(0), [[0; 0]]);
        assert_eq!(subsets(3), [vec![], vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 1, 2]]);
        assert_eq!(subsets(6).len(), 64);
    }

    #[test]
    fn inputs_are_told_as_people_count() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "process")), ["no process", "1 process", "2 processes"]);
        assert_eq!(counted(2, "item"), "2 items");
        assert_eq!([&[][..], &[0], &[0, 2], &[0, 1, 4]].map(listed), ["none", "1", "1 and 3", "1, 2 and 5"]);
    }

    #[test]
    fn each_order_comes_once() {
        assert_eq!(orders(0), [[0; 0]]);
        assert_eq!(orders(3), [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]);
        let mut four = orders(4);
        four.dedup();
        assert_eq!(four.len(), 24);
    }

    /// Holds for any rows, however they were found.
    fn missing_pairs<const COLUMNS: usize>(choices: [usize; COLUMNS], rows: &[[usize; COLUMNS]]) -> Vec<Pair> {
        all_pairs(choices).into_iter().filter(|pair| !rows.iter().any(|row| pair.is_in(row))).collect()
    }

    #[test]
    fn every_two_choices_of_two_columns_come_together() {
        fn hold<const COLUMNS: usize>(choices: [usize; COLUMNS], at_most: usize) {
            let rows = pairs(choices);
            assert_eq!(missing_pairs(choices, &rows), [], "{choices:?}");
            assert!(rows.iter().all(|row| row.iter().zip(choices).all(|(choice, count)| *choice < count)), "{rows:?}");
            assert!(rows.len() <= at_most, "{choices:?} take {} rows", rows.len());
            assert_eq!(rows, pairs(choices), "the same every time");
        }
        hold([3], 3);
        hold([2, 3], 6);
        hold([3, 3, 3, 3], 13);
        hold([4, 9, 9, 9, 9, 4, 3], 120);
        hold([2; 10], 12);
        hold([1, 5, 1, 2], 10);
    }

    #[test]
    fn a_pair_that_is_left_out_is_noticed() {
        let mut rows = pairs([2, 2, 2]);
        rows.pop();
        assert!(!missing_pairs([2, 2, 2], &rows).is_empty());
    }

    #[test]
    fn the_simplest_row_is_the_first() {
        assert_eq!(pairs([4, 3, 2])[0], [0, 0, 0]);
    }
}
