//! Puts rows in the order of their ids, compared as UTF-8 bytes, with an index of places and no copy of the ids.

use std::borrow::Cow;

use super::epsilons::shared_length;

/// How many stretches that are in order already are walked along together, rather than sorted.
pub(super) const MOST_RUNS: usize = 16;

/// How many rows are put in order at a time with parts of their ids at hand.
const STRETCH: usize = 1 << 18;

/// Sorts places by the ids that stand there; places of one id stay as they came.
///
/// Looking an id up costs a walk into the text. So stretches are put in order first, by the eight bytes in which most
/// ids differ; then the stable sort joins them.
pub(super) fn sort_by_id<'a, P: Copy>(places: &mut [P], id: impl Fn(P) -> Cow<'a, str>) {
    let shared = shared_by_all(places, &id);
    for stretch in places.chunks_mut(STRETCH) {
        let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(stretch.len());
        for (number, place) in (0..).zip(stretch.iter()) {
            keyed.push((key(&id(*place), shared), number));
        }
        keyed.sort_unstable_by(|a, b| {
            let apart = a.0.cmp(&b.0);
            let whole = || id(stretch[a.1 as usize]).cmp(&id(stretch[b.1 as usize]));
            apart.then_with(whole).then_with(|| a.1.cmp(&b.1))
        });
        let sorted: Vec<P> = keyed
            .iter()
            .map(|(_, number)| stretch[*number as usize])
            .collect();
        stretch.copy_from_slice(&sorted);
    }
    if places.len() > STRETCH {
        places.sort_by(|a, b| id(*a).cmp(&id(*b)));
    }
}

/// Counts the bytes that all ids begin with.
fn shared_by_all<'a, P: Copy>(places: &[P], id: &impl Fn(P) -> Cow<'a, str>) -> usize {
    let Some((first, rest)) = places.split_first() else {
        return 0;
    };
    let first = id(*first);
    rest.iter().fold(first.len(), |shared, place| {
        shared_length(&first.as_bytes()[..shared], id(*place).as_bytes())
    })
}

/// Returns eight bytes of an id as a number that compares as they do; zeros stand behind a short id.
fn key(id: &str, from: usize) -> u64 {
    let rest = id.as_bytes().get(from..).unwrap_or_default();
    let mut bytes = [0; 8];
    let length = rest.len().min(bytes.len());
    bytes[..length].copy_from_slice(&rest[..length]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(ids: &[String]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..ids.len()).collect();
        sort_by_id(&mut places, |place| Cow::Borrowed(ids[place].as_str()));
        places
    }

    fn plainly(ids: &[String]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..ids.len()).collect();
        places.sort_by_key(|place| ids[*place].as_bytes());
        places
    }

    #[test]
    fn every_order_of_ids_becomes_the_order_of_their_bytes() {
        let mixed = |number: u32| number.wrapping_mul(0x9E37_79B1);
        let most = 3_000;
        let shapes: [fn(u32) -> String; 6] = [
            |number| format!("m{number}"),
            |number| format!("MET-{number:09}"),
            |number| format!("{:x}", number.wrapping_mul(0x9E37_79B1)),
            |number| format!("long.shared.beginning.{}", number % 500),
            |number| "é\0".repeat(number as usize % 7),
            |_| "the same".to_owned(),
        ];
        for shape in shapes {
            let ids: Vec<_> = (0..most).map(shape).collect();
            assert_eq!(sorted(&ids), plainly(&ids));
            let jumbled: Vec<_> = (0..most)
                .map(|number| shape(mixed(number) % most))
                .collect();
            assert_eq!(sorted(&jumbled), plainly(&jumbled));
        }
        assert_eq!(sorted(&[]), plainly(&[]));
    }

    #[test]
    fn more_than_a_stretch_is_joined() {
        let most = u32::try_from(STRETCH).expect("small") + 2_000;
        let ids: Vec<_> = (0..most)
            .map(|number| format!("{:06}", u64::from(number) * 7_368_787 % 200_000))
            .collect();
        assert_eq!(sorted(&ids), plainly(&ids));
    }

    #[test]
    fn bytes_decide_not_letters() {
        let ids = ["\u{ff5e}", "\u{1f600}", "é", "e", "z", "Z", ""].map(str::to_owned);
        let order: Vec<_> = sorted(&ids)
            .into_iter()
            .map(|at| ids[at].as_str())
            .collect();
        assert_eq!(order, ["", "Z", "e", "z", "é", "\u{ff5e}", "\u{1f600}"]);
    }
}
