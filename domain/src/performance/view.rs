//! A row of sums, read where it lies: whoever lists endpoints over a month goes through some hundred thousand series, and needs little of each.

use super::sketch::number;

/// It is no row of sums.
#[derive(Debug, thiserror::Error)]
#[error("it ends too early, or is something else")]
pub struct Broken;

/// A row of [`crate::row::Performance`].
pub struct RowView<'a> {
    /// What the numbers of series stand for.
    pub names: Vec<&'a str>,
    pub merged: u32,
    spans: Vec<&'a [u8]>,
    samples: Vec<&'a [u8]>,
}

/// Of [`crate::row::PerformanceSpan`].
pub struct SpanView<'a> {
    pub minute: i64,
    series: Vec<&'a [u8]>,
}

/// Of [`crate::row::PerformanceSeries`].
#[derive(Default)]
pub struct SeriesView<'a> {
    pub name: u32,
    pub class: u32,
    pub release: u32,
    pub environment: u32,
    pub country: u32,
    pub count: u64,
    pub failed: u64,
    pub received_bytes: u64,
    pub sized: u64,
    bytes: &'a [u8],
}

/// Of [`crate::row::PerformanceMeasure`].
#[derive(Default)]
pub struct MeasureView<'a> {
    pub what: u32,
    pub count: u64,
    pub sum: u64,
    pub sketch: &'a [u8],
}

impl<'a> RowView<'a> {
    /// # Errors
    /// It is no row of sums.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut row = Self { names: Vec::new(), merged: 0, spans: Vec::new(), samples: Vec::new() };
        let mut fields = Fields(bytes);
        while let Some((tag, field)) = fields.next()? {
            match (tag, field) {
                (5, Field::Bytes(name)) => row.names.push(std::str::from_utf8(name).unwrap_or_default()),
                (6, Field::Bytes(span)) => row.spans.push(span),
                (7, Field::Bytes(sample)) => row.samples.push(sample),
                (8, Field::Number(merged)) => row.merged = merged as u32,
                _ => {}
            }
        }
        Ok(row)
    }

    /// # Errors
    /// They are no spans.
    pub fn spans(&self) -> impl Iterator<Item = Result<SpanView<'a>, Broken>> {
        self.spans.iter().map(|bytes| SpanView::read(bytes))
    }

    /// As they are stored.
    pub fn samples(&self) -> impl Iterator<Item = &'a [u8]> {
        self.samples.iter().copied()
    }
}

impl<'a> SpanView<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut span = Self { minute: 0, series: Vec::new() };
        let mut fields = Fields(bytes);
        while let Some((tag, field)) = fields.next()? {
            match (tag, field) {
                (1, Field::Number(minute)) => span.minute = zigzag(minute),
                (2, Field::Bytes(series)) => span.series.push(series),
                _ => {}
            }
        }
        Ok(span)
    }

    /// # Errors
    /// They are no series.
    pub fn series(&self) -> impl Iterator<Item = Result<SeriesView<'a>, Broken>> {
        self.series.iter().map(|bytes| SeriesView::read(bytes))
    }
}

impl<'a> SeriesView<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut series = Self { bytes, ..Self::default() };
        let mut fields = Fields(bytes);
        // Fields come in order: behind the numbers are the parts, which are read by whoever needs them.
        while let Some((tag, Field::Number(number))) = fields.next()? {
            match tag {
                1 => series.name = number as u32,
                2 => series.class = number as u32,
                3 => series.release = number as u32,
                4 => series.environment = number as u32,
                5 => series.country = number as u32,
                6 => series.count = number,
                7 => series.failed = number,
                9 => series.received_bytes = number,
                10 => series.sized = number,
                _ => {}
            }
        }
        Ok(series)
    }

    /// Requests by status.
    ///
    /// # Errors
    /// They are none.
    pub fn statuses(&self) -> impl Iterator<Item = Result<(u32, u64), Broken>> {
        self.parts(11).map(|entry| {
            let (mut status, mut count) = (0, 0);
            let mut fields = Fields(entry?);
            while let Some((tag, field)) = fields.next()? {
                match (tag, field) {
                    (1, Field::Number(number)) => status = number as u32,
                    (2, Field::Number(number)) => count = number,
                    _ => {}
                }
            }
            Ok((status, count))
        })
    }

    /// # Errors
    /// They are no measures.
    pub fn measures(&self) -> impl Iterator<Item = Result<MeasureView<'a>, Broken>> {
        self.parts(12).map(|bytes| {
            let mut measure = MeasureView::default();
            let mut fields = Fields(bytes?);
            while let Some((tag, field)) = fields.next()? {
                match (tag, field) {
                    (1, Field::Number(what)) => measure.what = what as u32,
                    (2, Field::Number(count)) => measure.count = count,
                    (3, Field::Number(sum)) => measure.sum = sum,
                    (4, Field::Bytes(sketch)) => measure.sketch = sketch,
                    _ => {}
                }
            }
            Ok(measure)
        })
    }

    fn parts(&self, wanted: u32) -> impl Iterator<Item = Result<&'a [u8], Broken>> + use<'a> {
        let mut fields = Fields(self.bytes);
        std::iter::from_fn(move || {
            loop {
                match fields.next() {
                    Ok(Some((tag, Field::Bytes(bytes)))) if tag == wanted => return Some(Ok(bytes)),
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }
}

const fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message in protobuf's encoding.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, Broken> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.number()?;
        let tag = (key >> 3) as u32;
        let field = match key & 7 {
            0 => Field::Number(self.number()?),
            2 => {
                let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
                match self.0.split_at_checked(length) {
                    Some((bytes, rest)) => {
                        self.0 = rest;
                        Field::Bytes(bytes)
                    }
                    None => return Err(Broken),
                }
            }
            // Rows have no others.
            _ => return Err(Broken),
        };
        Ok(Some((tag, field)))
    }

    fn number(&mut self) -> Result<u64, Broken> {
        number(&mut self.0).ok_or(Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{
        Performance, PerformanceMeasure, PerformanceSample, PerformanceSeries, PerformanceSpan,
    };
    use prost::Message;

    fn row() -> Performance {
        let measure = |what: u32| PerformanceMeasure {
            what,
            count: 300,
            sum: 1 << 40,
            sketch: vec![what as u8; 9].into(),
        };
        let series = |name: u32| PerformanceSeries {
            name,
            class: 2,
            release: 1,
            environment: 0,
            country: 300,
            count: 70_000,
            failed: 3,
            sent_bytes: 9,
            received_bytes: u64::MAX,
            sized: 5,
            statuses: [(200, 69_997), (502, 3)].into(),
            measures: vec![measure(1), measure(11)],
        };
        let span = |minute| PerformanceSpan { minute, series: vec![series(0), series(2)] };
        let sample = PerformanceSample { name: 2, bucket: 3, ..PerformanceSample::default() };
        Performance {
            names: vec!["…a".to_owned(), String::new(), "…b".to_owned()],
            spans: vec![span(-60), span(0), span(29_000_000)],
            samples: vec![sample],
            merged: 5,
            next_offset: 77,
            ..Performance::default()
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let row = row();
        let bytes = row.encode_to_vec();
        let view = RowView::read(&bytes).unwrap();
        assert_eq!((&view.names[..], view.merged), (&["…a", "", "…b"][..], 5));
        assert_eq!(view.samples().map(<[u8]>::len).collect::<Vec<_>>(), [row.samples[0].encoded_len()]);
        let mut spans = Vec::new();
        for span in view.spans() {
            let span = span.unwrap();
            let mut all = Vec::new();
            for series in span.series() {
                let series = series.unwrap();
                let measure = |measure: Result<MeasureView<'_>, _>| {
                    let MeasureView { what, count, sum, sketch } = measure.unwrap();
                    PerformanceMeasure { what, count, sum, sketch: sketch.to_vec().into() }
                };
                all.push(PerformanceSeries {
                    name: series.name,
                    class: series.class,
                    release: series.release,
                    environment: series.environment,
                    country: series.country,
                    count: series.count,
                    failed: series.failed,
                    sent_bytes: 9,
                    received_bytes: series.received_bytes,
                    sized: series.sized,
                    statuses: series.statuses().collect::<Result<_, _>>().unwrap(),
                    measures: series.measures().map(measure).collect(),
                });
            }
            spans.push(PerformanceSpan { minute: span.minute, series: all });
        }
        assert_eq!(spans, row.spans);
    }

    #[test]
    fn whatever_is_cut_off_or_damaged_is_an_error_or_less_and_never_a_panic() {
        let bytes = row().encode_to_vec();
        let walk = |bytes: &[u8]| -> Result<usize, Broken> {
            let mut seen = 0;
            for span in RowView::read(bytes)?.spans() {
                for series in span?.series() {
                    let series = series?;
                    seen += series.statuses().count() + series.measures().count();
                }
            }
            Ok(seen)
        };
        assert_eq!(walk(&bytes).unwrap(), 24);
        for end in 0..bytes.len() {
            let _ = walk(&bytes[..end]);
            let mut damaged = bytes.clone();
            damaged[end] ^= 0xff;
            let _ = walk(&damaged);
        }
        assert!(walk(&bytes[..bytes.len() - 1]).is_err());
    }
}
