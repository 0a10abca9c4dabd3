//! What one check costs beside other engines in the same process. `hack/bench rivals`.
//!
//! Every engine is given the same facts and is asked the same questions; every answer is compared with the definition
//! of the workload before the clock starts. What is fair and how each engine is used is told in
//! `docs/benchmarks/README.md`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod casbin;
mod cedar;
mod cedar_groups;
mod cedar_links;
mod cedar_sliced;
mod engine;
mod load;
mod maps;
mod measure;
mod oopsla;
mod org_tree;
mod ours;
mod published;
mod regorus;
mod text;
mod world;

use std::env;

use bailiwick_benches::report;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, engine, size] = &arguments[..]
        && command == load::ARGUMENT
    {
        load::run(engine, size);
        return;
    }
    let parts = [oopsla::report(), org_tree::report(), org_tree::stress(), published::TEXT.to_owned()];
    let text = format!(
        "# Beside other engines, in one process\n\nWhat one check costs by names, of the same world with the same \
         questions, for Bailiwick and for engines that can be linked into the same program: processor time of the \
         thread and time passed, each the median with the quartiles; the engines take turns, and every answer is \
         compared before the clock starts. Two rows are yardsticks, no rivals as shipped, and do not count as the \
         fastest rival: \"maps of strings\", the rules of one application on the standard library's maps; and \
         \"cedar, links picked outside\", where maps of ours find the few policies that concern a question before \
         Cedar is asked. An engine that is slow is asked fewer questions a round. \"Not run\": it takes more than \
         {} s or {} GiB to load that world.\n\n{}\n\nMade by `hack/bench rivals`.\n\n{}",
        load::TIME_LIMIT.as_secs(),
        load::MEMORY_LIMIT >> 30,
        report::machine(),
        parts.join("\n")
    );
    report::write("rivals.md", &text).expect("the folder of the reports can be written");
}
