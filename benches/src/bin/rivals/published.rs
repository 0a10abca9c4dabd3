//! What others publish of engines that were not run here.

/// A section of the report.
pub const TEXT: &str = "\
## Not run here

What their makers, or papers, publish of engines that are servers, need a database or run on another platform. \
**Nothing here was measured by us, and nothing here can be set against the tables above**: other machines, other \
worlds, most of it over a network.

| engine | published | of what | source |
| --- | --- | --- | --- |
| SAPL 4.1 | median 0.66 / 0.36 / 0.25 µs (github / gdrive / tinytodo, N = 50) | in process, JVM; the setup of the Cedar paper made anew by SAPL's makers, as for the three engines below | <https://sapl.io/guides/comparison> |
| OPA | median 897 / 295 / 172 µs (the same) | in process: the harness calls its Go library | <https://sapl.io/guides/comparison> |
| Cedar | median 11.3 / 5.8 / 5.8 µs (the same) | in process: the Rust library | <https://sapl.io/guides/comparison> |
| OpenFGA | median 417 / 139 / 115 µs (the same) | asked over HTTP, store in memory; the paper's harness has the server time the check itself, so its figure is without HTTP | <https://sapl.io/guides/comparison> |
| SpiceDB | p95 5.76 ms at 1,000,000 requests a second, 1 % of them writes, 100 billion relationships | AuthZed Dedicated with CockroachDB on AWS | <https://authzed.com/blog/google-scale-authorization> |
| Zanzibar | p95 below 10 ms over three years, millions of requests a second, trillions of lists | Google's own service | Pang et al., USENIX ATC 2019 |
How the harness takes the time of each is to be seen in <https://github.com/cedar-policy/cedar-examples> \
(`oopsla2024-benchmarks`: `rego-harness/harness/auth.go`, `openfga-timing.patch`); the paper is Cutler et al., \
OOPSLA 2024, arXiv 2403.04651.

WorkOS FGA, Oso Cloud, Topaz and Keto: no figure was found that says of what it was measured.
";
