//! Plots as SVG, self-contained and on white ground, so that a page shows them alike by day and by night.
//!
//! The axes of values are logarithmic: what is compared differs by orders of magnitude, and on such an axis equal
//! distances are equal ratios.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = WIDTH - 250.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = HEIGHT - 60.0;

/// Told apart also by the colour-blind (Okabe and Ito), and dark enough for white ground.
const COLOURS: [&str; 8] = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#000000", "#7f7f7f"];

/// Lines through points, on two logarithmic axes. Each series has a name; all its values are positive.
pub fn lines<S: AsRef<str>>(title: &str, x_label: &str, y_label: &str, series: &[(S, Vec<(f64, f64)>)]) -> String {
    let points = || series.iter().flat_map(|(_, points)| points);
    let x = Axis::new(points().map(|&(x, _)| x), LEFT, RIGHT);
    let y = Axis::new(points().map(|&(_, y)| y), BOTTOM, TOP);
    let mut svg = Svg::new(title);
    svg.horizontal_grid(&y, y_label);
    for (value, label) in x.ticks() {
        let at = x.at(value);
        svg.line((at, TOP), (at, BOTTOM), "#e4e4e4");
        svg.text((at, BOTTOM + 20.0), "middle", &label);
    }
    svg.text((f64::midpoint(LEFT, RIGHT), BOTTOM + 45.0), "middle", x_label);
    for (number, (name, points)) in series.iter().enumerate() {
        let colour = colour(number);
        let path: Vec<String> = points.iter().map(|&(px, py)| format!("{:.1},{:.1}", x.at(px), y.at(py))).collect();
        svg.add(&format!(r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#, path.join(" ")));
        for &(px, py) in points {
            svg.add(&format!(r#"<circle cx="{:.1}" cy="{:.1}" r="3.5" fill="{colour}"/>"#, x.at(px), y.at(py)));
        }
        svg.legend(number, name.as_ref());
    }
    svg.finish()
}

/// Groups of bars, one group a category and one bar a series, on a logarithmic axis. A series has a value, or none,
/// for each category; all are positive.
pub fn bars<S: AsRef<str>>(title: &str, unit: &str, categories: &[&str], series: &[(S, Vec<Option<f64>>)]) -> String {
    let values = series.iter().flat_map(|(_, values)| values.iter().flatten().copied());
    let y = Axis::new(values, BOTTOM, TOP);
    let mut svg = Svg::new(title);
    svg.horizontal_grid(&y, unit);
    let group = (RIGHT - LEFT) / count(categories.len());
    let bar = 0.84 * group / count(series.len());
    for (number, category) in categories.iter().enumerate() {
        let start = LEFT + group * count(number);
        svg.text((start + group / 2.0, BOTTOM + 20.0), "middle", category);
        for (nth, (_, values)) in series.iter().enumerate() {
            let Some(value) = values[number] else { continue };
            let left = start + 0.08 * group + bar * count(nth);
            let top = y.at(value);
            svg.add(&format!(
                r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="{}"/>"#,
                bar * 0.92,
                (BOTTOM - top).max(1.0),
                colour(nth)
            ));
            svg.small_text((left + bar * 0.46, top - 4.0), &figure(value));
        }
    }
    for (number, (name, _)) in series.iter().enumerate() {
        svg.legend(number, name.as_ref());
    }
    svg.finish()
}

/// A logarithmic axis from one position on the sheet to another.
struct Axis {
    /// Logarithms to the base of ten.
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(0.0, f64::max);
        assert!(low > 0.0 && high < f64::INFINITY, "there are values and all are positive: {low} to {high}");
        let steps = steps(low.log10().floor(), high.log10().ceil());
        let below = steps.iter().rev().find(|&&step| step <= low * 0.95).copied().unwrap_or(low);
        let above = steps.iter().find(|&&step| step >= high * 1.05).copied().unwrap_or(10.0 * high);
        Self { low: below.log10(), high: above.log10(), from, to }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Values to mark, each with its label.
    fn ticks(&self) -> Vec<(f64, String)> {
        let is_short = self.high - self.low <= 2.5;
        let is_marked = |value: f64| is_short || (value.log10() - value.log10().round()).abs() < 1e-6;
        let slack = 1e-6;
        steps(self.low.floor(), self.high.ceil())
            .into_iter()
            .filter(|&value| is_marked(value))
            .filter(|value| (self.low - slack..=self.high + slack).contains(&value.log10()))
            .map(|value| (value, figure(value)))
            .collect()
    }
}

/// 1, 2 and 5 times every power of ten between two, and one more on either side.
fn steps(from: f64, to: f64) -> Vec<f64> {
    let mut steps = Vec::new();
    let mut exponent = from - 1.0;
    while exponent <= to + 1.0 {
        steps.extend([1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powf(exponent)));
        exponent += 1.0;
    }
    steps
}

/// A value in two significant digits, with `k` and `M`.
fn figure(value: f64) -> String {
    let (scaled, suffix) = match value {
        999_500.0.. => (value / 1e6, "M"),
        999.5.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match scaled {
        9.95.. => 0,
        0.995.. => 1,
        0.0995.. => 2,
        0.00995.. => 3,
        _ => 4,
    };
    let text = format!("{scaled:.decimals$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short}{suffix}")
}

fn colour(series: usize) -> &'static str {
    COLOURS[series % COLOURS.len()]
}

#[expect(clippy::cast_precision_loss, reason = "counts of what is drawn are small")]
fn count(number: usize) -> f64 {
    number as f64
}

struct Svg(String);

impl Svg {
    fn new(title: &str) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\" role=\"img\">\n\
             <title>{0}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{0}</text>\n",
            escape(title)
        ));
        svg.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "#222");
        svg
    }

    fn add(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
        self.add(&format!(r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"/>"#));
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, text: &str) {
        let _ = writeln!(self.0, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#, escape(text));
    }

    fn small_text(&mut self, (x, y): (f64, f64), text: &str) {
        self.add(&format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle" font-size="9">{text}</text>"#));
    }

    fn horizontal_grid(&mut self, axis: &Axis, label: &str) {
        for (value, tick) in axis.ticks() {
            let at = axis.at(value);
            self.line((LEFT, at), (RIGHT, at), "#e4e4e4");
            self.text((LEFT - 8.0, at + 4.0), "end", &tick);
        }
        let middle = f64::midpoint(TOP, BOTTOM);
        let turn = format!(r#"transform="rotate(-90 20 {middle})""#);
        self.add(&format!(r#"<text x="20" y="{middle}" text-anchor="middle" {turn}>{}</text>"#, escape(label)));
    }

    fn legend(&mut self, number: usize, name: &str) {
        let y = TOP + 6.0 + 22.0 * count(number);
        let (x, colour) = (RIGHT + 20.0, colour(number));
        self.add(&format!(r#"<rect x="{x}" y="{y}" width="14" height="14" fill="{colour}"/>"#));
        self.text((x + 22.0, y + 12.0), "start", name);
    }

    fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let values = [0.004, 0.066, 0.1, 0.25, 1.0, 2.04, 11.3, 999.7, 16_853.0, 1_000_000.0, 2_500_000.0];
        let expected = ["0.004", "0.066", "0.1", "0.25", "1", "2", "11", "1k", "17k", "1M", "2.5M"];
        assert_eq!(values.map(figure), expected);
    }

    #[test]
    fn every_value_lies_between_the_ends_of_its_axis() {
        for values in [vec![0.07, 162_257.0], vec![3.0], vec![1.0, 10.0], vec![9.9, 10.1]] {
            let axis = Axis::new(values.iter().copied(), 0.0, 100.0);
            for &value in &values {
                assert!((0.0..=100.0).contains(&axis.at(value)), "{value} of {values:?} at {}", axis.at(value));
            }
            assert!(axis.ticks().len() >= 2, "{values:?}");
        }
    }

    #[test]
    fn a_missing_value_has_no_bar() {
        let svg =
            bars("a & b", "µs", &["x", "y"], &[("one", vec![Some(1.0), None]), ("two", vec![Some(2.0), Some(9.0)])]);
        assert_eq!(svg.matches("<rect").count(), 1 + 3 + 2, "ground, bars, legend");
        assert!(svg.contains("a &amp; b"), "text is escaped");
    }
}
