//! How far apart the protected metrics of a week lay, against a pair of limits; whether one lies above is always exact.

use super::policy::{Pair, Seen};
use crate::rules::reconcile::Decimal;

/// A pair as numbers.
pub(in crate::rules) struct Limits {
    soft: Decimal,
    hard: Decimal,
    floor: Decimal,
}

impl Limits {
    /// Reads the pair; none where it is no pair of decimals.
    pub(in crate::rules) fn of(pair: &Pair) -> Option<Self> {
        let read = |text: &str| Decimal::parse(text).ok();
        Some(Self {
            soft: read(&pair.soft)?,
            hard: read(&pair.hard)?,
            floor: read(&pair.floor)?,
        })
    }
}

/// How far apart a week's protected metrics lay.
pub(in crate::rules) struct Worst {
    /// The metric that lay farthest apart.
    pub(in crate::rules) metric_id: String,
    /// How far, nearly; only for looking at.
    pub(in crate::rules) ratio: f64,
    /// Whether one lay above soft, exactly.
    pub(in crate::rules) above_soft: bool,
    /// Whether one lay above hard, exactly.
    pub(in crate::rules) above_hard: bool,
}

/// Finds the protected metric that lay farthest apart, and whether one lay above a limit; none where one cannot be judged.
pub(in crate::rules) fn worst(limits: &Limits, protected: &[Seen]) -> Option<Worst> {
    let mut worst: Option<Worst> = None;
    for seen in protected {
        let delta = Decimal::parse(seen.delta.as_deref()?).ok()?;
        let partner = Decimal::parse(seen.partner.as_deref()?).ok()?;
        let of = if partner.cmp_abs(&limits.floor).is_gt() {
            &partner
        } else {
            &limits.floor
        };
        // A quotient would be rounded; exactly the limit is not above it.
        let above = |limit: &Decimal| delta.cmp_abs(&(limit * of)).is_gt();
        let ratio = delta.ratio(of);
        let found = worst.get_or_insert_with(|| Worst {
            metric_id: seen.metric_id.clone(),
            ratio,
            above_soft: false,
            above_hard: false,
        });
        if ratio > found.ratio {
            found.metric_id.clone_from(&seen.metric_id);
            found.ratio = ratio;
        }
        found.above_soft |= above(&limits.soft);
        found.above_hard |= above(&limits.hard);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found([soft, hard, floor]: [&str; 3], metrics: &[(Option<&str>, &str)]) -> Option<Worst> {
        let pair = Pair {
            soft: soft.into(),
            hard: hard.into(),
            floor: floor.into(),
        };
        let seen = metrics.iter().zip(0..);
        let seen = seen.map(|((delta, partner), number)| Seen {
            metric_id: format!("MET-{number}"),
            delta: delta.map(str::to_owned),
            partner: Some((*partner).to_owned()),
        });
        worst(&Limits::of(&pair)?, &seen.collect::<Vec<_>>())
    }

    /// Deltas for which a quotient of doubles lies on the wrong side of the limit, or could.
    #[test]
    fn exactly_a_limit_is_not_above_it() {
        for (partner, soft, hard, floor, delta, amber, rollback) in [
            ("100", "0.05", "0.1", "1", "5", false, false),
            ("100", "0.05", "0.1", "1", "-10", true, false),
            ("3", "0.1", "0.2", "1", "0.3", false, false),
            ("-3", "0.1", "0.2", "1", "0.6", true, false),
            (
                "3",
                "0.1",
                "0.2",
                "1",
                "0.30000000000000000000000001",
                true,
                false,
            ),
            (
                "-3",
                "0.1",
                "0.2",
                "1",
                "-0.60000000000000000000000001",
                true,
                true,
            ),
            // The floor is what it is taken of where the partners' value is smaller.
            ("0", "0.1", "0.3", "0.7", "0.07", false, false),
            ("0.6", "0.1", "0.3", "0.7", "0.21", true, false),
            (
                "0.6",
                "0.1",
                "0.3",
                "0.7",
                "0.210000000000000000001",
                true,
                true,
            ),
            ("0", "0", "0.3", "1", "0", false, false),
            (
                "0",
                "0",
                "0.3",
                "1",
                "0.00000000000000000000000000000000000000000001",
                true,
                false,
            ),
            (
                "123456789012345678901234567890123456789",
                "0.1",
                "0.2",
                "1",
                "12345678901234567890123456789012345678.9",
                false,
                false,
            ),
            (
                "123456789012345678901234567890123456789",
                "0.1",
                "0.2",
                "1",
                "12345678901234567890123456789012345678.91",
                true,
                false,
            ),
        ] {
            let found = found([soft, hard, floor], &[(Some(delta), partner)]);
            let found = found.expect("it can be judged");
            let found = (found.above_soft, found.above_hard);
            assert_eq!(found, (amber, rollback), "{delta} of {partner}");
        }
    }

    #[test]
    fn one_metric_above_a_limit_is_enough_and_one_unknown_too_many() {
        let limits = ["0.05", "0.1", "1"];
        let one = found(
            limits,
            &[(Some("1"), "100"), (Some("-7"), "100"), (Some("2"), "100")],
        );
        let one = one.expect("it can be judged");
        assert!(one.above_soft && !one.above_hard);
        assert_eq!((&*one.metric_id, one.ratio), ("MET-1", 0.07));
        assert!(found(limits, &[(Some("1"), "100"), (None, "100")]).is_none());
        assert!(found(limits, &[]).is_none(), "nothing was kept");
        assert!(found(["", "0.1", "1"], &[(Some("1"), "100")]).is_none());
    }
}
