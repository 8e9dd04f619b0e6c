//! Sums to rows and back.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::filter::Filter;
use super::observation::{Class, Context, Sample};
use super::sketch::Sketch;
use super::totals::{Series, SeriesKey, Totals, Values};
use crate::row;

/// What a row may take: far less than a value of the store, so that a few go together in one request.
const MAX_ROW_BYTES: usize = 700 << 10;

#[derive(Default)]
struct Names {
    places: HashMap<Arc<str>, u32>,
    names: Vec<String>,
}

impl Names {
    fn place(&mut self, name: &Arc<str>) -> u32 {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_string());
        self.places.insert(Arc::clone(name), place);
        place
    }
}

impl Totals {
    /// The row's value. If that would be too long, more is put together first, and the row says so.
    pub fn encode(&mut self) -> Bytes {
        loop {
            let bytes = self.to_row().encode_to_vec();
            if bytes.len() <= MAX_ROW_BYTES || !self.narrow() {
                return bytes.into();
            }
        }
    }

    /// One row that says what these say together but for their examples, as long as that is: to be kept in memory, not in the store.
    /// With a filter only what passes it, releases, environments and countries together; how much there was of each is told under
    /// [`COUNTED`](super::totals::COUNTED).
    ///
    /// # Errors
    /// One is no row of sums.
    pub fn join(rows: Vec<Bytes>, filter: &Filter) -> Result<Bytes, DecodeError> {
        let mut joined = Self::default();
        for row in rows {
            let row = Self::decode(row)?;
            joined.add_whole(if filter.is_empty() { row } else { row.reduced(filter) });
        }
        Ok(joined.to_row().encode_to_vec().into())
    }

    fn to_row(&self) -> row::Performance {
        let mut names = Names::default();
        let series = |names: &mut Names, key: &SeriesKey, series: &Series| row::PerformanceSeries {
            name: names.place(&key.name),
            class: key.class as u32,
            release: names.place(&key.context.release),
            environment: names.place(&key.context.environment),
            country: names.place(&key.context.country),
            count: series.count,
            failed: series.failed,
            sent_bytes: series.sent_bytes,
            received_bytes: series.received_bytes,
            sized: series.sized,
            statuses: series.statuses.clone(),
            measures: series.measures.iter().map(measure).collect(),
        };
        let spans = self.spans.iter().map(|(minute, all)| row::PerformanceSpan {
            minute: *minute,
            series: all.iter().map(|(key, values)| series(&mut names, key, values)).collect(),
        });
        let spans = spans.collect();
        let samples = self.samples.iter().map(|((name, bucket), sample)| row::PerformanceSample {
            name: names.place(name),
            bucket: *bucket,
            time_ms: sample.time_ms,
            session: Bytes::copy_from_slice(&sample.session),
            event: sample.event.clone(),
        });
        let samples = samples.collect();
        row::Performance {
            next_offset: self.next_offset,
            sequence: self.sequence,
            hour: self.hour,
            rolled: self.rolled,
            rolled_hour: self.rolled_hour,
            names: names.names,
            spans,
            samples,
            merged: self.merged,
        }
    }

    /// # Errors
    /// It is no row of sums.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let row = row::Performance::decode(bytes)?;
        let names: Vec<Arc<str>> = row.names.iter().map(|name| Arc::from(name.as_str())).collect();
        let name = |place: u32| names.get(place as usize).cloned().unwrap_or_default();
        let mut totals = Self {
            next_offset: row.next_offset,
            sequence: row.sequence,
            hour: row.hour,
            rolled: row.rolled,
            rolled_hour: row.rolled_hour,
            merged: row.merged,
            ..Self::default()
        };
        for span in row.spans {
            for series in span.series {
                let class = Class::of_number(series.class).unwrap_or(Class::Unknown);
                let context = Context {
                    release: name(series.release),
                    environment: name(series.environment),
                    country: name(series.country),
                };
                let key = totals.known.admit(&name(series.name), class, &context);
                let known = totals.spans.entry(span.minute).or_default().entry(key).or_default();
                known.merge(&of_row(series));
            }
        }
        for sample in row.samples {
            let Ok(session) = sample.session[..].try_into() else { continue };
            let key = (name(sample.name), sample.bucket);
            totals.samples.insert(key, Sample { time_ms: sample.time_ms, session, event: sample.event });
        }
        Ok(totals)
    }
}

fn measure((&what, values): (&u32, &Values)) -> row::PerformanceMeasure {
    row::PerformanceMeasure {
        what,
        count: values.count,
        sum: values.sum,
        sketch: values.sketch.encode().into(),
    }
}

fn of_row(series: row::PerformanceSeries) -> Series {
    let values = |measure: row::PerformanceMeasure| {
        let row::PerformanceMeasure { what, count, sum, sketch } = measure;
        (what, Values { count, sum, sketch: Sketch::decode(&sketch) })
    };
    Series {
        count: series.count,
        failed: series.failed,
        sent_bytes: series.sent_bytes,
        received_bytes: series.received_bytes,
        sized: series.sized,
        statuses: series.statuses,
        measures: series.measures.into_iter().map(values).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Kind;
    use super::super::name::NameKey;
    use super::super::observation::{Measure, Measured, Observation};
    use super::super::totals::{Merged, OTHER};
    use super::*;
    use crate::id::{ProjectId, TenantId};
    use crate::scope::Scope;

    fn observation(number: u32, country: &str) -> Observation {
        Observation {
            place: (u64::from(number), 0),
            weight: 1,
            hour: 0,
            name: NameKey::new([1; 32])
                .id(Scope::of_log_record(TenantId(1), ProjectId(1)), &format!("GET /{number}")),
            context: Arc::new(Context { release: "1".into(), country: country.into(), ..Context::default() }),
            measured: Measured {
                name: format!("GET /{number}"),
                class: Class::Success,
                status: 200,
                failed: false,
                sent_bytes: None,
                received_bytes: Some(10),
                measures: vec![(Measure::Total, f64::from(number % 977) + 0.5)],
                counts: true,
                bucket: Some(3),
                index: 0,
                span: None,
            },
            sample: Sample { time_ms: 60_000, session: [7; 16], event: number.to_string() },
        }
    }

    #[test]
    fn a_row_says_what_was_added() {
        let mut totals = Totals::default();
        (0..50).for_each(|number| totals.add(&observation(number % 5, "PT")));
        let read = Totals::decode(totals.encode()).unwrap();
        assert_eq!(read, totals);
        assert_eq!(read.series().map(|(_, _, series)| series.count).sum::<u64>(), 50);
    }

    #[test]
    fn joined_rows_tell_apart_what_they_told_apart() {
        let of = |numbers: std::ops::Range<u32>, country: &str| {
            let mut totals = Totals::default();
            for number in numbers {
                let mut one = observation(number, country);
                one.measured.status = 200 + number % 40;
                totals.add(&one);
            }
            totals
        };
        let (mut one, mut two) = (of(0..1_000, "PT"), of(500..1_500, "DE"));
        two.merged = Merged::Releases as u32;
        let joined =
            Totals::join(vec![one.encode(), two.encode(), one.encode()], &Filter::default()).unwrap();
        let joined = row::Performance::decode(joined).unwrap();
        let series = &joined.spans[0].series;
        assert_eq!((joined.spans.len(), series.len(), joined.merged), (1, 2_000, Merged::Releases as u32));
        assert_eq!(series.iter().map(|series| series.count).sum::<u64>(), 3_000);
        let twice = |series: &&row::PerformanceSeries| series.count == 2 && series.measures[0].count == 2;
        assert_eq!(series.iter().filter(twice).count(), 1_000);
        let rows = (0..40).map(|number| of(number..number + 1, "PT").encode()).collect();
        let statuses = Totals::join(rows, &Filter::default()).unwrap();
        let statuses = row::Performance::decode(statuses).unwrap();
        assert_eq!(statuses.spans[0].series.iter().map(|series| series.statuses.len()).sum::<usize>(), 40);
        assert!(Totals::join(vec![Bytes::from_static(b"\xff\xff")], &Filter::default()).is_err());
    }

    #[test]
    fn a_reduced_row_has_what_passes_and_how_much_there_was() {
        let mut totals = Totals::default();
        for number in 0..30 {
            totals.add(&observation(number % 10, ["PT", "DE", "FR"][number as usize / 10]));
        }
        let filter = Filter { country: Some("DE".to_owned()), ..Filter::default() };
        let reduced = Totals::join(vec![totals.encode(), totals.encode()], &filter).unwrap();
        let reduced = Totals::decode(reduced).unwrap();
        let (counted, passed): (Vec<_>, Vec<_>) =
            reduced.series().partition(|(_, key, _)| *key.name == *super::super::totals::COUNTED);
        assert_eq!(passed.len(), 10);
        for (_, key, series) in passed {
            assert_eq!(key.context, Context::default());
            assert_eq!((series.count, Totals::values(series, Measure::Total).unwrap().count), (2, 2));
        }
        let counted = counted.into_iter().map(|(_, key, series)| (&*key.context.country, series.count));
        assert_eq!(counted.collect::<Vec<_>>(), [("DE", 20), ("FR", 20), ("PT", 20)]);
    }

    #[test]
    fn further_endpoints_are_counted_as_others() {
        let mut totals = Totals::default();
        (0..1_500).for_each(|number| totals.add(&observation(number, "PT")));
        let other: Vec<_> = totals.series().filter(|(_, key, _)| &*key.name == OTHER).collect();
        assert_eq!((other.len(), other[0].2.count, totals.series().count()), (1, 500, 1_001));
        let mut plain = Totals::default();
        plain.roll(&totals, 60, Kind::Plain);
        assert_eq!(plain.series().map(|(minute, ..)| minute).max(), Some(0));
        assert_eq!(plain.series().map(|(_, _, series)| series.count).sum::<u64>(), 1_500);
    }

    #[test]
    fn what_was_put_together_is_read_as_it_was_written() {
        let mut totals = Totals::default();
        for number in 0..60 {
            let mut one = observation(1, "PT");
            one.context =
                Arc::new(Context { release: format!("{number}").as_str().into(), ..Context::default() });
            totals.add(&one);
        }
        let read = Totals::decode(totals.encode()).unwrap();
        assert_eq!(read, totals);
        assert_eq!(read.series().map(|(_, _, series)| series.count).sum::<u64>(), 60);
        assert_eq!(read.series().count(), 21, "twenty releases and the others");
    }

    #[test]
    fn many_minutes_of_one_endpoint_still_fit_a_row() {
        for names in [1, 2, 3] {
            let mut totals = Totals::default();
            for minute in 0..30_000 {
                let mut one = observation(minute % names, "PT");
                one.sample.time_ms = i64::from(minute) * 60_000;
                totals.add(&one);
            }
            let bytes = totals.encode();
            assert!(bytes.len() <= MAX_ROW_BYTES, "{}", bytes.len());
            let read = Totals::decode(bytes).unwrap();
            assert_eq!(read.series().map(|(_, _, series)| series.count).sum::<u64>(), 30_000);
        }
    }

    #[test]
    fn a_row_that_would_be_too_long_tells_less_apart() {
        let mut totals = Totals::default();
        for country in 0..60 {
            (0..400).for_each(|number| totals.add(&observation(number, &format!("C{country}"))));
        }
        let bytes = totals.encode();
        assert!(bytes.len() <= MAX_ROW_BYTES, "{}", bytes.len());
        assert_eq!(totals.merged & Merged::Countries as u32, Merged::Countries as u32);
        let read = Totals::decode(bytes).unwrap();
        assert_eq!(read.series().map(|(_, _, series)| series.count).sum::<u64>(), 24_000);
    }
}
