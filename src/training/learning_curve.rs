//! The learning curve as a picture.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

/// What a curve shows over the minutes at work.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningCurve<'a> {
    pub caption: &'a str,
    /// What the scores are, on the left axis.
    pub measure: &'a str,
    pub minutes: Vec<f64>,
    /// Name and values of each score, 0 to 1, one value a minute above.
    pub scores: Vec<(&'a str, Vec<f64>)>,
    pub loss: Vec<f64>,
}

/// Colours of the scores.
const COLOURS: [RGBColor; 3] = [BLUE, RED, GREEN];

/// Writes an SVG: scores on the left axis (0 to 1), the training loss on the right, minutes at work below.
///
/// # Errors
/// - the file cannot be written
pub fn draw_learning_curve(curve: &LearningCurve<'_>, path: &Path) -> anyhow::Result<()> {
    draw(curve, path).map_err(|error| anyhow!("drawing {}: {error}", path.display()))
}

fn draw(curve: &LearningCurve<'_>, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let end = curve.minutes.last().copied().unwrap_or(1.0).max(0.1);
    let peak = curve.loss.iter().copied().fold(1e-3, f64::max);
    let root = SVGBackend::new(path, (900, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(curve.caption, ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .right_y_label_area_size(50)
        .build_cartesian_2d(0.0..end, 0.0..1.0)?
        .set_secondary_coord(0.0..end, 0.0..peak);
    chart.configure_mesh().x_desc("minutes at work").y_desc(curve.measure).draw()?;
    chart.configure_secondary_axes().y_desc("training loss").draw()?;
    let points = |values: &[f64]| curve.minutes.iter().copied().zip(values.to_vec()).collect::<Vec<_>>();
    for ((name, values), colour) in curve.scores.iter().zip(COLOURS) {
        chart
            .draw_series(LineSeries::new(points(values), colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
    }
    let grey = RGBColor(140, 140, 140);
    chart
        .draw_secondary_series(LineSeries::new(points(&curve.loss), grey.stroke_width(1)))?
        .label("training loss (right)")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], grey));
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    root.present()?;
    Ok(())
}
