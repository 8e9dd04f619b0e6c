//! Rules about no single issue: silence, endpoints and pages. Each has one row, of the project.

use playhead_domain::alert::judge::{self, Verdict};
use playhead_domain::alert::key::{RuleId, Subject};
use playhead_domain::alert::performance::{self, Grain};
use playhead_domain::alert::step::{self, Step};
use playhead_domain::row::{AlertNotice, AlertRule, AlertState};

use super::super::measure::{self, Readings};
use super::super::notice;
use super::{Evaluation, OTHER_QUESTION, is_of_another};
use crate::error::ApiError;

impl Evaluation<'_> {
    pub(super) async fn silence(
        &mut self,
        (id, rule): (RuleId, &AlertRule),
        minutes: u32,
    ) -> Result<(), ApiError> {
        let memory = self.states.states.get(&(id, Subject::Project)).map(|stored| stored.value.clone());
        let verdict = if is_of_another(memory.as_ref(), rule) {
            OTHER_QUESTION
        } else {
            judge::silence(minutes, self.now.intake_ms, self.moment(rule))
        };
        let notice = match &verdict {
            Verdict::Met(met) => Some(notice::of_silence(self.project, met.why.clone(), met.since_ms)),
            _ => None,
        };
        self.whole_project((id, rule), memory.as_ref(), verdict, notice).await
    }

    pub(super) async fn performance(
        &mut self,
        (id, rule): (RuleId, &AlertRule),
        asked: &measure::Asked<'_>,
        readings: &mut Readings<'_>,
    ) -> Result<(), ApiError> {
        let memory = self.states.states.get(&(id, Subject::Project)).map(|stored| stored.value.clone());
        if is_of_another(memory.as_ref(), rule) {
            return self.whole_project((id, rule), memory.as_ref(), OTHER_QUESTION, None).await;
        }
        let limit = &asked.limit;
        let reading = readings.read(asked, Grain::of(limit.window_minutes).is_by_minutes()).await;
        let reading = match reading {
            // Of a part no share is told, and nothing is missing.
            Ok(reading) if reading.partial => return self.not_measured(id, &"not all could be read"),
            Ok(reading) => reading,
            // Rules about issues go on without statistics; windows that were not judged stay open, unless nobody will ever read them.
            Err(error) => {
                self.outcome.contested += usize::from(error.is_retryable());
                return self.not_measured(id, &error);
            }
        };
        let judged = performance::judge(limit, &reading.series, memory.as_ref(), self.moment(rule));
        let notice = match &judged {
            (Verdict::Met(met), Some(measured)) => {
                let example = reading.example(limit, met.since_ms, measured);
                Some(notice::of_performance(asked, measured, met, example))
            }
            _ => None,
        };
        self.whole_project((id, rule), memory.as_ref(), judged.0, notice).await
    }

    fn not_measured(&self, rule: RuleId, why: &dyn std::fmt::Display) -> Result<(), ApiError> {
        self.api.0.metrics.alerts.failures.with_label_values(&["statistics"]).inc();
        tracing::warn!(%rule, %why, "a rule about endpoints or pages is not judged");
        Ok(())
    }

    /// What a verdict about the project as a whole makes of its row.
    async fn whole_project(
        &mut self,
        (id, rule): (RuleId, &AlertRule),
        memory: Option<&AlertState>,
        verdict: Verdict,
        notice: Option<AlertNotice>,
    ) -> Result<(), ApiError> {
        let place = (id, Subject::Project);
        let written = match step::decide(memory, &verdict, self.at_verdict(rule, &verdict)) {
            Step::Nothing => return Ok(()),
            Step::Trigger => {
                let (Verdict::Met(met), Some(notice)) = (verdict, notice) else { return Ok(()) };
                self.fire((place, rule), memory, met.mark, notice).await?
            }
            over => self.over((place, rule), memory, &over, &verdict).await?,
        };
        self.count(written);
        Ok(())
    }
}
