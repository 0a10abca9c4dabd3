//! What is written into `docs/benchmarks/`.

use std::{fmt::Write as _, fs, io, path::PathBuf, process::Command};

use crate::clock::is_quick;

/// A table in Markdown.
#[derive(Debug)]
pub struct Table {
    width: usize,
    text: String,
}

impl Table {
    /// A table with those columns. The first holds words, the others figures.
    pub fn new<H: AsRef<str>>(columns: &[H]) -> Self {
        let mut table = Self { width: columns.len(), text: String::new() };
        table.row(columns);
        table.text.push_str("| --- |");
        table.text.push_str(&" ---: |".repeat(columns.len() - 1));
        table.text.push('\n');
        table
    }

    /// Adds a row.
    pub fn row<C: AsRef<str>>(&mut self, cells: &[C]) {
        assert_eq!(cells.len(), self.width, "a cell for each column");
        for cell in cells {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "| {} ", cell.as_ref());
        }
        self.text.push_str("|\n");
    }

    /// The table as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Writes `docs/benchmarks/<name>`, and prints it if it is text. What was only tried out is not written.
pub fn write(name: &str, text: &str) -> io::Result<()> {
    if name.ends_with("md") {
        println!("{text}");
    }
    if is_quick() {
        return Ok(());
    }
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks"));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), text)
}

/// What a reader must know of where figures come from: processor, memory, kernel, compiler.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let compiler = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let compiler = String::from_utf8_lossy(&compiler);
    format!("{processor}, {cores} cores, {memory}; Linux {}; {}.", kernel.trim(), compiler.trim())
}
