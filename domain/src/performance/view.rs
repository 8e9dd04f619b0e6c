//! A row of sums, read where it lies: whoever lists endpoints over a month goes through some hundred thousand series, and needs little of each.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

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
    pub fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
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
    pub fn spans(&self) -> impl Iterator<Item = Result<SpanView<'a>, DecodeError>> {
        self.spans.iter().map(|bytes| SpanView::read(bytes))
    }

    /// As they are stored.
    pub fn samples(&self) -> impl Iterator<Item = &'a [u8]> {
        self.samples.iter().copied()
    }
}

impl<'a> SpanView<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
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
    pub fn series(&self) -> impl Iterator<Item = Result<SeriesView<'a>, DecodeError>> {
        self.series.iter().map(|bytes| SeriesView::read(bytes))
    }
}

impl<'a> SeriesView<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut series = Self { bytes, ..Self::default() };
        let mut fields = Fields(bytes);
        while let Some((tag, field)) = fields.next()? {
            let Field::Number(number) = field else { continue };
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
    pub fn statuses(&self) -> impl Iterator<Item = Result<(u32, u64), DecodeError>> {
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
    pub fn measures(&self) -> impl Iterator<Item = Result<MeasureView<'a>, DecodeError>> {
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

    fn parts(&self, wanted: u32) -> impl Iterator<Item = Result<&'a [u8], DecodeError>> + use<'a> {
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
    /// Of a later version.
    Unknown,
}

/// The fields of a message in protobuf's encoding.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (tag, kind) = decode_key(&mut self.0)?;
        let field = match kind {
            WireType::Varint => Field::Number(decode_varint(&mut self.0)?),
            WireType::LengthDelimited => {
                let length = decode_varint(&mut self.0)?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let Some((bytes, rest)) = self.0.split_at_checked(length) else {
                    // As prost says it.
                    skip_field(kind, tag, &mut &b"\x01"[..], DecodeContext::default())?;
                    return Ok(None);
                };
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => {
                skip_field(kind, tag, &mut self.0, DecodeContext::default())?;
                Field::Unknown
            }
        };
        Ok(Some((tag, field)))
    }
}
