//! The row-level files of one run while it computes: each begins with its first batch.

use std::path::PathBuf;

use super::StoreError;
use super::fault::{self, Place};
use super::rows::{
    ExplanationBatch, ExplanationFile, FinishedRows, InteractionBatch, InteractionFile, LocalFitBatch, LocalFitFile,
    MapBatch, MapFile, Origin, PredictionBatch, PredictionFile,
};

#[derive(Debug, Default)]
pub(super) struct RowFiles {
    predictions: Option<PredictionFile>,
    explanations: Option<ExplanationFile>,
    interactions: Option<InteractionFile>,
    local_fits: Option<LocalFitFile>,
    maps: Option<MapFile>,
    finished: Vec<FinishedRows>,
}

/// Where a table's file will be, and what it says about itself.
pub(super) type Target<'a> = (PathBuf, &'a Origin);

impl RowFiles {
    pub(super) fn predictions(&mut self, target: Target, batch: &PredictionBatch<'_>) -> Result<(), StoreError> {
        let file = match &mut self.predictions {
            Some(file) => file,
            none => none.insert(PredictionFile::create(&target.0, target.1, batch)?),
        };
        file.push(batch)
    }

    pub(super) fn explanations(&mut self, target: Target, batch: &ExplanationBatch<'_>) -> Result<(), StoreError> {
        let file = match &mut self.explanations {
            Some(file) => file,
            none => none.insert(ExplanationFile::create(&target.0, target.1, batch)?),
        };
        file.push(batch)
    }

    pub(super) fn interactions(&mut self, target: Target, batch: &InteractionBatch<'_>) -> Result<(), StoreError> {
        let file = match &mut self.interactions {
            Some(file) => file,
            none => none.insert(InteractionFile::create(&target.0, target.1, batch)?),
        };
        file.push(batch)
    }

    pub(super) fn local_fits(&mut self, target: Target, batch: &LocalFitBatch<'_>) -> Result<(), StoreError> {
        let file = match &mut self.local_fits {
            Some(file) => file,
            none => none.insert(LocalFitFile::create(&target.0, target.1, batch)?),
        };
        file.push(batch)
    }

    pub(super) fn maps(&mut self, target: Target, batch: &MapBatch<'_>) -> Result<(), StoreError> {
        let file = match &mut self.maps {
            Some(file) => file,
            none => none.insert(MapFile::create(&target.0, target.1, batch)?),
        };
        file.push(batch)
    }

    /// Adds a table that was written at once.
    pub(super) fn add(&mut self, finished: FinishedRows) {
        self.finished.push(finished);
    }

    /// Every file that has begun, complete.
    pub(super) fn finish(self) -> Result<Vec<FinishedRows>, StoreError> {
        let mut all = Vec::new();
        if let Some(file) = self.predictions {
            all.push(file.finish()?);
            fault::reach(Place::StagedOne);
        }
        all.extend(self.explanations.map(ExplanationFile::finish).transpose()?);
        all.extend(self.interactions.map(InteractionFile::finish).transpose()?);
        all.extend(self.local_fits.map(LocalFitFile::finish).transpose()?);
        all.extend(self.maps.map(MapFile::finish).transpose()?);
        all.extend(self.finished);
        Ok(all)
    }
}
