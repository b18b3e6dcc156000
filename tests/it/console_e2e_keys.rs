//! What must never write: haste, pastes, held keys, keys before there is a screen, and a screen too small to see.

use crate::console_kit::{LIVE, SIZE, begin, console, entries, look, open, taken_by, to_blocks};
use crate::support::World;
use crate::support::terminal::Terminal;

/// Opens the console on a world with one open block and goes there.
async fn at_a_block() -> (World, Terminal, u64) {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let terminal = open(&world, "maya");
    to_blocks(&terminal, "r-1");
    let before = entries(&world);
    (world, terminal, before)
}

/// Asserts that nothing was written, and that the keys still work when they are typed as they should be.
fn nothing_happened_and_it_still_can(world: &World, terminal: &Terminal, before: u64) {
    assert_eq!(entries(world), before);
    assert_eq!(taken_by(world, "r-1"), "-");
    while terminal.screen().contains("TAKE-BLOCK") || terminal.screen().contains("What you can") {
        terminal.type_keys("esc");
    }
    begin(terminal, 't', "TAKE-BLOCK");
    terminal.type_keys("y");
    terminal.wait_for("DONE: ledger entry");
    assert_eq!(taken_by(world, "r-1"), "maya");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enter_never_writes() {
    let (world, terminal, before) = at_a_block().await;
    begin(&terminal, 't', "TAKE-BLOCK");
    terminal.type_keys("enter");
    terminal.wait_for("enter does nothing here; y does it, n or esc leaves it");
    terminal.type_keys("tab");
    terminal.wait_for("[ take-block ]");
    look();
    terminal.type_keys("enter enter");
    terminal.wait_for("enter does nothing here; ");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_mean_nothing_say_so() {
    let (world, terminal, before) = at_a_block().await;
    for key in ["x", "%", "ctrl-g", "Q"] {
        terminal.type_keys(key);
        terminal.wait_for(&format!("{key} means nothing here"));
    }
    terminal.type_keys("a Z");
    terminal.wait_for("Z is no action here");
    terminal.type_keys("esc");
    begin(&terminal, 't', "TAKE-BLOCK");
    terminal.type_keys("Y x 1 ? :");
    terminal.wait_for("TAKE-BLOCK");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_before_the_first_frame_is_forgotten() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let before = entries(&world);
    let terminal = Terminal::start(&console(&world, "maya"), SIZE);
    terminal.send_raw(b"4jaty\ry y\n");
    terminal.wait_for(LIVE);
    terminal.wait_for("[1 Home]");
    assert!(!terminal.screen().contains("means nothing"));
    to_blocks(&terminal, "r-1");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paste_never_confirms() {
    let (world, terminal, before) = at_a_block().await;
    terminal.send_raw(b"\x1b[200~a t y\x1b[201~");
    terminal.wait_for("a paste outside a text field was dropped");
    begin(&terminal, 't', "TAKE-BLOCK");
    for pasted in ["y", "y\n", " ", "\ty y\t "] {
        terminal.send_raw(format!("\x1b[200~{pasted}\x1b[201~").as_bytes());
        terminal.wait_for("a paste is not taken here");
        look();
    }
    terminal.wait_for("TAKE-BLOCK");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_key_stops_nothing() {
    let (world, terminal, _) = at_a_block().await;
    // A slow line cuts what an arrow sends in two.
    terminal.send_raw(b"\x1b[");
    world.block("r-2").await;
    terminal.wait_for("r-2");
    terminal.wait_for("> r-1");
    terminal.send_raw(b"B");
    terminal.wait_for("> r-2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_keys_never_confirms() {
    let (world, terminal, before) = at_a_block().await;
    // A terminal without brackets hands a paste over as keys.
    terminal.send_raw(b"aty");
    terminal.wait_for("TAKE-BLOCK");
    terminal.wait_for("Cancel");
    look();
    for burst in [&b"yyyyyyyy"[..], b"xy", b"yx", b"\ty \ty ", b"ayt"] {
        terminal.send_raw(burst);
        look();
        assert_eq!(entries(&world), before, "{burst:?}");
    }
    terminal.send_raw(b"y\n");
    look();
    terminal.type_keys("esc");
    terminal.wait_gone("TAKE-BLOCK");
    terminal.send_raw(b"aty\naty\n");
    look();
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cat_on_the_keyboard_writes_nothing() {
    let (world, terminal, before) = at_a_block().await;
    // A generator of one's own, so that a failure can be repeated; without the keys that leave or go to sleep.
    let mut seed: u32 = 20_260_514;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(seed >> 24).expect("eight bits")
    };
    for _ in 0..20 {
        let keys: Vec<u8> = std::iter::repeat_with(&mut next)
            .filter(|key| *key < 0x7f && !b"q\x03\x1a".contains(key))
            .take(100)
            .collect();
        terminal.send_raw(&keys);
    }
    terminal.send_raw(b"\x1b[201~");
    for _ in 0..3 {
        terminal.type_keys("esc");
    }
    terminal.type_keys("1");
    terminal.wait_for("[1 Home]");
    assert_eq!(entries(&world), before);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_sizes_leaves_a_whole_screen() {
    let (world, terminal, before) = at_a_block().await;
    let sizes = (0..100_u16).map(|n| (1 + n * 37 % 211, 1 + n * 29 % 67));
    for (columns, lines) in sizes.chain([(1, 1), (20, 5), (1, 50), (200, 1), (39, 9)]) {
        terminal.resize(columns, lines);
    }
    terminal.resize(40, 10);
    terminal.wait_for("r-1");
    terminal.resize(SIZE.0, SIZE.1);
    terminal.wait_for(LIVE);
    terminal.wait_for("[4 Blocks 1!]");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_confirms_what_the_window_is_too_small_to_show() {
    let (world, terminal, before) = at_a_block().await;
    begin(&terminal, 't', "TAKE-BLOCK");
    for (columns, lines) in [(20, 5), (1, 1)] {
        terminal.resize(columns, lines);
        look();
        terminal.type_keys("y y");
        look();
        assert_eq!(entries(&world), before, "{columns}x{lines}");
    }
    terminal.resize(20, 5);
    terminal.wait_for("enlarge");
    terminal.resize(SIZE.0, SIZE.1);
    terminal.wait_for("TAKE-BLOCK");
    terminal.type_keys("esc");
    nothing_happened_and_it_still_can(&world, &terminal, before);
}
