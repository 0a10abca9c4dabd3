//! The "org-tree" workload and its stress corners.

use bailiwick_benches::{
    chart,
    clock::is_quick,
    org_tree::{Popularity, SERIES, STANDARD, Size, Traffic, World},
    report::{self, Table},
    stress,
};

use crate::{
    engine,
    load::{self, Load},
    measure::{Loaded, count, limit, measure},
    text::{COLUMNS, FASTEST, cells, fastest, figure},
};

const ROUNDS: usize = 5;

/// The sizes, smallest first.
pub fn sizes() -> Vec<Size> {
    if is_quick() {
        return STANDARD[..1].to_vec();
    }
    let mut sizes = [STANDARD.to_vec(), SERIES.to_vec()].concat();
    sizes.sort_by_key(|size| size.assignments);
    sizes
}

/// The tables, and the plot that it writes.
pub fn report() -> String {
    let questions = if is_quick() { 1_000 } else { 100_000 };
    let columns = ["size", "assignments", "questions", "engine", COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];
    let mut checks = Table::new(&columns);
    let mut summary = Table::new(&["size", "assignments", "questions", FASTEST[0], FASTEST[1], FASTEST[2], FASTEST[3]]);
    let mut loads = Table::new(&["size", "assignments", "engine", "load, CPU s", "memory, MB", "B an assignment"]);
    let mut lines: Vec<(&str, Vec<(f64, f64)>)> = engine::ALL.iter().map(|kind| (kind.label, Vec::new())).collect();
    for size in sizes() {
        let assignments = size.assignments.to_string();
        let loaded = engine::ALL.map(|kind| (kind, load::measure(kind.label, size.label)));
        for (kind, load) in &loaded {
            let [seconds, megabytes, each] =
                load.map_or(["not run", "", ""].map(str::to_owned), |load| figures(load, size));
            loads.row(&[size.label, &assignments, kind.label, &seconds, &megabytes, &each]);
        }
        let world = World::new(size);
        let workload = world.workload(Traffic::Misses, Popularity::Uniform, 0);
        let fitting = loaded.into_iter().filter(|(_, load)| load.is_some());
        let mut engines: Vec<Loaded> =
            fitting.map(|(kind, _)| Loaded { kind, engine: (kind.load)(&workload) }).collect();
        drop(workload);
        for traffic in Traffic::ALL {
            for popularity in [Popularity::Zipf, Popularity::Uniform] {
                let asked: Vec<_> =
                    world.traffic(traffic, popularity, questions).into_iter().map(|one| world.named(one)).collect();
                let measured = measure(&mut engines, &asked, ROUNDS, limit());
                let questions = format!("{}, {popularity:?}", traffic.label());
                let [ours, rival, time, ratio] = fastest(&measured);
                eprintln!("{}, {questions}: {ours} µs; {rival} {time} µs", size.label);
                summary.row(&[size.label, &assignments, &questions, &ours, &rival, &time, &ratio]);
                for one in &measured {
                    let [cpu, wall, ratio, asked] = cells(one, &measured[0]);
                    checks.row(&[size.label, &assignments, &questions, one.kind.label, &cpu, &wall, &ratio, &asked]);
                    if traffic == Traffic::Even && popularity == Popularity::Zipf {
                        let line = lines.iter_mut().find(|(label, _)| *label == one.kind.label).expect("an engine");
                        line.1.push((count(size.assignments), one.cpu().median));
                    }
                }
            }
        }
    }
    let title = "org-tree: a check, half of them hits, Zipf";
    let plot = chart::lines(title, "role assignments", "CPU µs per check", &lines);
    report::write("rivals-org-tree.svg", &plot).expect("the folder of the reports can be written");
    format!(
        "## org-tree\n\n![CPU time of a check by role assignments](rivals-org-tree.svg)\n\n{}\n### Every engine\n\n{}\n\
         ### To load it\n\n{}",
        summary.as_str(),
        checks.as_str(),
        loads.as_str()
    )
}

fn figures(Load { seconds, megabytes }: Load, size: Size) -> [String; 3] {
    [figure(seconds), figure(megabytes), figure(megabytes * 1e6 / count(size.assignments))]
}

/// The table of the corners.
pub fn stress() -> String {
    let columns = ["corner", "engine", COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];
    let mut table = Table::new(&columns);
    for (corner, workload) in stress::corners() {
        let load = |kind: engine::Kind| Loaded { kind, engine: (kind.load)(&workload) };
        let mut engines: Vec<Loaded> = engine::ALL.into_iter().map(load).collect();
        let measured = measure(&mut engines, &workload.questions, ROUNDS, limit());
        for one in &measured {
            let [cpu, wall, ratio, asked] = cells(one, &measured[0]);
            table.row(&[corner, one.kind.label, &cpu, &wall, &ratio, &asked]);
        }
    }
    format!("## Stress corners\n\nHalf of the questions are hits.\n\n{}", table.as_str())
}
