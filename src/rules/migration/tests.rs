use super::*;

#[test]
fn gates_stand_before_the_phases_that_they_are_for() {
    use Gate::{
        Allowlist, Baseline, Bind, Blocks, Calendar, Clean, Faq, MatrixClear, MatrixPresent,
        NotRed, Prepared, Protected, Rehearsed, Replay, Unwatched,
    };
    assert_eq!(
        Gate::before(Phase::DualWrite),
        [
            MatrixPresent,
            MatrixClear,
            Bind,
            Allowlist,
            Baseline,
            Blocks,
            NotRed,
            Protected,
            Prepared,
            Unwatched
        ]
    );
    assert_eq!(
        Gate::before(Phase::Cutover),
        [
            MatrixPresent,
            Bind,
            Allowlist,
            Faq,
            Replay,
            Baseline,
            Clean,
            Calendar,
            Blocks,
            NotRed,
            Protected,
            Rehearsed
        ]
    );
    for phase in [Phase::Prepare, Phase::Rollback] {
        assert!(Gate::before(phase).is_empty());
    }
    let fixed: Vec<_> = Gate::ALL
        .iter()
        .filter(|gate| !gate.can_be_overridden())
        .collect();
    assert_eq!(fixed, [&Bind, &Allowlist, &Clean, &Blocks, &NotRed]);
}
