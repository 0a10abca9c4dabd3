//! `bailiwick` with the allocator of the system, for `http` to measure beside it.

fn main() -> std::process::ExitCode {
    bailiwick::cli::main()
}
