//! Terminal text as a picture (SVG), for where Markdown should show what people see.

use std::fmt::Write;

const CHARACTER_WIDTH: f32 = 7.85;
const LINE_HEIGHT: usize = 19;
const MARGIN: usize = 16;

/// A picture of `text`. Lines that start with `$ ` are shown as typed, those of cargo dimmed, and the verdict of a run in
/// the colour that it has on a terminal.
pub fn picture(text: &str) -> String {
    let columns = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = (columns as f32 * CHARACTER_WIDTH).ceil() as usize + 2 * MARGIN;
    let height = text.lines().count() * LINE_HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1d1f21\"/>\n\
         <g font-family=\"ui-monospace, DejaVu Sans Mono, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
    );
    for (index, line) in text.lines().enumerate() {
        let y = MARGIN + index * LINE_HEIGHT + 13;
        let line_text = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let length = line.chars().count() as f32 * CHARACTER_WIDTH;
        // The length is given, so that columns stay columns in whichever font is there.
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\" textLength=\"{length:.1}\" {}>{line_text}</text>",
            style(line)
        );
    }
    svg + "</g>\n</svg>\n"
}

fn style(line: &str) -> &'static str {
    if line.starts_with("$ ") {
        "fill=\"#ffffff\" font-weight=\"bold\""
    } else if line.ends_with(" passed") {
        "fill=\"#7ec16e\" font-weight=\"bold\""
    } else if line.contains(" FAILED: ") {
        "fill=\"#e06c75\" font-weight=\"bold\""
    } else if line.starts_with("    Finished ") || line.starts_with("     Running ") {
        "fill=\"#8a8d91\""
    } else {
        "fill=\"#d4d7da\""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_and_escaped() {
        let svg = picture("$ a <b> & c\nx passed\n");
        assert!(svg.contains(">$ a &lt;b&gt; &amp; c</text>"), "{svg}");
        assert!(svg.contains("fill=\"#7ec16e\" font-weight=\"bold\">x passed</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 2);
    }
}
