//! The workloads of the Cedar paper.

use std::time::Duration;

use bailiwick_benches::{
    chart,
    clock::is_quick,
    oopsla::{Application, HIERARCHIES, SIZES, workload},
    report::{self, Table},
};

use crate::{
    engine,
    measure::{Loaded, Measured, count, limit, measure},
    text::{COLUMNS, FASTEST, cells, fastest},
};

const ROUNDS: usize = 3;

/// The table, and the plot that it writes.
pub fn report() -> String {
    let (sizes, hierarchies) = if is_quick() { (&SIZES[..1], 2) } else { (&SIZES[..], HIERARCHIES) };
    let columns = ["workload", "N", "assignments", "engine", COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];
    let mut table = Table::new(&columns);
    let mut summary = Table::new(&["workload", "N", FASTEST[0], FASTEST[1], FASTEST[2], FASTEST[3]]);
    let mut bars: Vec<(&str, Vec<Option<f64>>)> = engine::ALL.iter().map(|kind| (kind.label, Vec::new())).collect();
    for application in Application::ALL {
        for &size in sizes {
            let (assignments, measured) = measure_all(application, size, hierarchies);
            let (label, n) = (application.label(), size.to_string());
            let [ours, rival, time, ratio] = fastest(&measured);
            eprintln!("{label}, N = {n}: {ours} µs; {rival} {time} µs");
            summary.row(&[label, &n, &ours, &rival, &time, &ratio]);
            for (one, bar) in measured.iter().zip(&mut bars) {
                let [cpu, wall, ratio, asked] = cells(one, &measured[0]);
                table.row(&[label, &n, &assignments, one.kind.label, &cpu, &wall, &ratio, &asked]);
                if size == sizes[sizes.len() - 1] {
                    bar.1.push(Some(one.cpu().median));
                }
            }
        }
    }
    let title = format!("The Cedar paper's workloads, N = {}", sizes[sizes.len() - 1]);
    let plot = chart::bars(&title, "CPU µs per check", &Application::ALL.map(Application::label), &bars);
    report::write("rivals-oopsla.svg", &plot).expect("the folder of the reports can be written");
    format!(
        "## The Cedar paper's workloads\n\n![CPU time of a check](rivals-oopsla.svg)\n\n{}\n### Every engine\n\n{}",
        summary.as_str(),
        table.as_str()
    )
}

/// Of every hierarchy the median of its rounds, and how many assignments a hierarchy has on average.
fn measure_all(application: Application, size: usize, hierarchies: u32) -> (String, Vec<Measured>) {
    let empty = |kind| Measured { kind, asked: 0, cpu: Vec::new(), wall: Vec::new() };
    let mut all: Vec<Measured> = engine::ALL.into_iter().map(empty).collect();
    let mut assignments = 0;
    // Slow engines share among the hierarchies what one of another workload has in five rounds.
    let limit = Duration::max(5 * limit() / hierarchies, Duration::from_millis(3));
    for seed in 0..hierarchies {
        let workload = workload(application, size, u64::from(seed));
        assignments += workload.assignments();
        let load = |kind: engine::Kind| Loaded { kind, engine: (kind.load)(&workload) };
        let mut engines: Vec<Loaded> = engine::ALL.into_iter().map(load).collect();
        for (one, all) in measure(&mut engines, &workload.questions, ROUNDS, limit).iter().zip(&mut all) {
            all.asked += one.asked;
            all.cpu.push(one.cpu().median);
            all.wall.push(one.wall().median);
        }
    }
    let each = count(assignments) / f64::from(hierarchies);
    (format!("{each:.0}"), all)
}
