//! The learning curve as a picture.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

use super::detector_training::CurvePoint;

/// Writes an SVG: both scores on the left axis (0 to 1), the training loss on the right, minutes at work below.
///
/// # Errors
/// - the file cannot be written
pub fn draw_learning_curve(curve: &[CurvePoint], path: &Path) -> anyhow::Result<()> {
    draw(curve, path).map_err(|error| anyhow!("drawing {}: {error}", path.display()))
}

fn draw(curve: &[CurvePoint], path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let minutes = |point: &CurvePoint| point.seconds / 60.0;
    let end = curve.last().map_or(1.0, minutes).max(0.1);
    let peak = curve.iter().map(|point| point.loss).fold(1e-3, f64::max);
    let root = SVGBackend::new(path, (900, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Detector: scores on validation frames", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .right_y_label_area_size(50)
        .build_cartesian_2d(0.0..end, 0.0..1.0)?
        .set_secondary_coord(0.0..end, 0.0..peak);
    chart.configure_mesh().x_desc("minutes at work").y_desc("mean average precision").draw()?;
    chart.configure_secondary_axes().y_desc("training loss").draw()?;
    let score = |value: fn(&CurvePoint) -> f64| curve.iter().map(move |point| (minutes(point), value(point)));
    chart
        .draw_series(LineSeries::new(score(|point| point.map50), BLUE.stroke_width(2)))?
        .label("mAP50")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLUE));
    chart
        .draw_series(LineSeries::new(score(|point| point.map50_95), RED.stroke_width(2)))?
        .label("mAP50-95")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], RED));
    let grey = RGBColor(140, 140, 140);
    chart
        .draw_secondary_series(LineSeries::new(score(|point| point.loss), grey.stroke_width(1)))?
        .label("training loss (right)")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], grey));
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    root.present()?;
    Ok(())
}
