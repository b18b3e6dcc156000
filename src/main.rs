//! Words in, front door, exit code out.

fn main() -> std::process::ExitCode {
    govdeck::cli::main()
}
