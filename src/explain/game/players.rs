//! Who plays: raw columns, groups of columns, or patches of an image.

use super::error::PlayersError;
use super::owen::n_coalitions;
use crate::dataset::batch::{Column, Features};
use std::collections::BTreeSet;

/// The players of a game. Together they own every cell of a row exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Players {
    pub(crate) list: Vec<Player>,
    pub(crate) cluster: Option<Vec<usize>>,
}

/// One player: what it owns is taken from the row or from the background together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    pub name: String,
    pub parts: Vec<Part>,
}

/// What a player owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A whole column, by its position in model order.
    Column(usize),
    /// Some numbers of a tensor column, by their row-major position.
    Cells { column: usize, cells: Vec<usize> },
}

impl Players {
    /// Players that own any parts; checked against the data when a game is set up.
    pub fn new(list: Vec<Player>) -> Self {
        Self { list, cluster: None }
    }

    /// One player for each column.
    pub fn columns(names: &[String]) -> Self {
        let one = |(column, name): (usize, &String)| Player { name: name.clone(), parts: vec![Part::Column(column)] };
        Self::new(names.iter().enumerate().map(one).collect())
    }

    /// One player for each group `(name, columns)`, and one for each column in no group. A group stands where its
    /// first column does.
    ///
    /// # Errors
    /// A group without columns, with unknown ones, with another group's, or with a name that is taken.
    pub fn grouped(names: &[String], groups: &[(String, Vec<String>)]) -> Result<Self, PlayersError> {
        let mut owner: Vec<Option<usize>> = vec![None; names.len()];
        for (group, (player, columns)) in groups.iter().enumerate() {
            if columns.is_empty() {
                return Err(PlayersError::Empty { player: player.clone() });
            }
            for column in columns {
                let at = position(names, player, column)?;
                if let Some(first) = owner[at].filter(|first| *first != group) {
                    let (first, second) = (groups[first].0.clone(), player.clone());
                    return Err(PlayersError::Shared { column: column.clone(), first, second });
                }
                owner[at] = Some(group);
            }
        }
        let mut list: Vec<Player> = Vec::new();
        let mut made: Vec<Option<usize>> = vec![None; groups.len()];
        for (column, name) in names.iter().enumerate() {
            match owner[column].map(|group| (group, made[group])) {
                Some((_, Some(player))) => list[player].parts.push(Part::Column(column)),
                Some((group, None)) => {
                    made[group] = Some(list.len());
                    list.push(Player { name: groups[group].0.clone(), parts: vec![Part::Column(column)] });
                }
                None => list.push(Player { name: name.clone(), parts: vec![Part::Column(column)] }),
            }
        }
        distinct(&list)?;
        Ok(Self::new(list))
    }

    /// Square patches of a one-tensor image as players `patch_ROW_COL`, row by row; patches at the lower and right
    /// border may be smaller. `height × width` pixels, each with `channels` numbers that stand together
    /// (`channels_last`) or in planes.
    pub fn patches(
        (height, width, channels): (usize, usize, usize),
        channels_last: bool,
        (patch_height, patch_width): (usize, usize),
    ) -> Self {
        let mut list = Vec::new();
        for (row, top) in (0..height).step_by(patch_height.max(1)).enumerate() {
            for (column, left) in (0..width).step_by(patch_width.max(1)).enumerate() {
                let mut cells = Vec::new();
                for y in top..height.min(top + patch_height.max(1)) {
                    for x in left..width.min(left + patch_width.max(1)) {
                        cells.extend((0..channels).map(|channel| match channels_last {
                            true => (y * width + x) * channels + channel,
                            false => (channel * height + y) * width + x,
                        }));
                    }
                }
                list.push(Player {
                    name: format!("patch_{row}_{column}"),
                    parts: vec![Part::Cells { column: 0, cells }],
                });
            }
        }
        Self::new(list)
    }

    /// Names each player's cluster: attributions become Owen values, which share a cluster's worth within it.
    ///
    /// # Errors
    /// Another number of clusters than players.
    pub fn clustered(self, cluster: Vec<usize>) -> Result<Self, PlayersError> {
        if cluster.len() != self.list.len() {
            return Err(PlayersError::Clusters { clusters: cluster.len(), players: self.list.len() });
        }
        Ok(Self { cluster: Some(cluster), ..self })
    }

    /// Clusters of single columns by `(name, columns)`; every other player is a cluster of its own.
    ///
    /// # Errors
    /// A cluster without columns, with unknown ones, or with one that another cluster or a group has.
    pub fn in_clusters(self, names: &[String], clusters: &[(String, Vec<String>)]) -> Result<Self, PlayersError> {
        let mut of: Vec<Option<usize>> = vec![None; self.list.len()];
        for (at, (cluster, columns)) in clusters.iter().enumerate() {
            if columns.is_empty() {
                return Err(PlayersError::Empty { player: cluster.clone() });
            }
            for column in columns {
                let owned = Part::Column(position(names, cluster, column)?);
                let owner = self.list.iter().position(|player| player.parts.contains(&owned));
                let shared = |first: &String| PlayersError::Shared {
                    column: column.clone(),
                    first: first.clone(),
                    second: cluster.clone(),
                };
                let owner = owner.ok_or_else(|| shared(cluster))?;
                if self.list[owner].parts.len() > 1 {
                    return Err(shared(&self.list[owner].name));
                }
                if let Some(first) = of[owner].filter(|first| *first != at) {
                    return Err(shared(&clusters[first].0));
                }
                of[owner] = Some(at);
            }
        }
        let alone = |(player, cluster): (usize, Option<usize>)| cluster.unwrap_or(clusters.len() + player);
        let cluster = of.into_iter().enumerate().map(alone).collect();
        self.clustered(cluster)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether players stand in clusters, so that attributions are Owen values.
    pub fn is_clustered(&self) -> bool {
        self.cluster.is_some()
    }

    /// Coalitions of these players that exact values rest on; `u64::MAX` if more.
    pub fn n_coalitions(&self, playing: &[usize]) -> u64 {
        match &self.cluster {
            None => 1_u64.checked_shl(playing.len() as u32).unwrap_or(u64::MAX),
            Some(cluster) => n_coalitions(&playing.iter().map(|player| cluster[*player]).collect::<Vec<_>>()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Names in order, as attributions are stored.
    pub fn names(&self) -> Vec<String> {
        self.list.iter().map(|player| player.name.clone()).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Player> {
        self.list.iter()
    }

    /// Checks that every cell of every column has exactly one player.
    ///
    /// # Errors
    /// The first player or column that breaks the rule.
    pub fn check(&self, features: &Features) -> Result<(), PlayersError> {
        distinct(&self.list)?;
        let mut owner: Vec<Vec<Option<usize>>> =
            features.columns.iter().map(|column| vec![None; width(column)]).collect();
        for (player, Player { name, parts }) in self.list.iter().enumerate() {
            for part in parts {
                let (column, cells) = cells_of(part, name, features)?;
                for cell in cells {
                    if let Some(first) = owner[column][cell].replace(player) {
                        let (first, second) = (self.list[first].name.clone(), name.clone());
                        return Err(PlayersError::Shared { column: format!("column {column}"), first, second });
                    }
                }
            }
        }
        match owner.iter().position(|cells| cells.contains(&None)) {
            Some(column) => Err(PlayersError::Unowned { column }),
            None => Ok(()),
        }
    }
}

fn position(names: &[String], player: &str, column: &str) -> Result<usize, PlayersError> {
    names.iter().position(|name| name == column).ok_or_else(|| PlayersError::Unknown {
        player: player.to_string(),
        column: column.to_string(),
        known: names.join(", "),
    })
}

fn distinct(list: &[Player]) -> Result<(), PlayersError> {
    let mut names = BTreeSet::new();
    match list.iter().find(|player| !names.insert(&player.name)) {
        Some(player) => Err(PlayersError::Duplicate { player: player.name.clone() }),
        None => Ok(()),
    }
}

/// Numbers a column has in one row.
pub(crate) fn width(column: &Column) -> usize {
    match column {
        Column::Tensor { width, .. } => *width,
        Column::Number(_) | Column::Text(_) => 1,
    }
}

fn cells_of(part: &Part, player: &str, features: &Features) -> Result<(usize, Vec<usize>), PlayersError> {
    let (column, cells) = match part {
        Part::Column(column) => (*column, None),
        Part::Cells { column, cells } => (*column, Some(cells)),
    };
    let n_columns = features.columns.len();
    let player = || player.to_string();
    let Some(width) = features.columns.get(column).map(width) else {
        return Err(PlayersError::Column { player: player(), column, n_columns });
    };
    let cells = cells.cloned().unwrap_or_else(|| (0..width).collect());
    match cells.iter().find(|cell| **cell >= width) {
        Some(cell) => Err(PlayersError::Cell { player: player(), column, cell: *cell, width }),
        None => Ok((column, cells)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn group(name: &str, columns: &[&str]) -> (String, Vec<String>) {
        (name.to_string(), names(columns))
    }

    fn numbers(n: usize) -> Features {
        Features { n_rows: 1, columns: vec![Column::Number(vec![0.0]); n] }
    }

    #[test]
    fn a_group_stands_where_its_first_column_does() {
        let players =
            Players::grouped(&names(&["age", "zip", "sex", "city"]), &[group("address", &["city", "zip"])]).unwrap();
        assert_eq!(players.names(), ["age", "address", "sex"]);
        assert_eq!(players.list[1].parts, [Part::Column(1), Part::Column(3)]);
        assert_eq!(players.check(&numbers(4)), Ok(()));
    }

    #[test]
    fn groups_that_do_not_divide_the_columns_are_refused() {
        let columns = names(&["a", "b", "c"]);
        let refused = |groups: &[(String, Vec<String>)]| Players::grouped(&columns, groups).unwrap_err();
        assert!(matches!(refused(&[group("x", &["a", "z"])]), PlayersError::Unknown { column, .. } if column == "z"));
        assert!(matches!(refused(&[group("x", &["a"]), group("y", &["a", "b"])]), PlayersError::Shared { .. }));
        assert!(matches!(refused(&[group("x", &[])]), PlayersError::Empty { .. }));
        assert!(matches!(refused(&[group("c", &["a", "b"])]), PlayersError::Duplicate { player } if player == "c"));
    }

    #[test]
    fn patches_own_every_pixel_of_every_channel_once() {
        for channels_last in [true, false] {
            let players = Players::patches((5, 4, 3), channels_last, (2, 3));
            assert_eq!(players.names()[..3], ["patch_0_0", "patch_0_1", "patch_1_0"]);
            assert_eq!(players.len(), 6);
            let image = Features { n_rows: 1, columns: vec![Column::Tensor { width: 60, values: vec![0.0; 60] }] };
            assert_eq!(players.check(&image), Ok(()));
        }
    }

    #[test]
    fn cells_without_an_owner_or_with_two_are_found() {
        let player = |name: &str, parts| Player { name: name.to_string(), parts };
        let whole = player("a", vec![Part::Column(0)]);
        assert_eq!(Players::new(vec![whole.clone()]).check(&numbers(2)), Err(PlayersError::Unowned { column: 1 }));
        let twice = Players::new(vec![whole.clone(), player("b", vec![Part::Column(0)])]);
        assert!(matches!(twice.check(&numbers(1)), Err(PlayersError::Shared { .. })));
        let beyond = Players::new(vec![whole, player("b", vec![Part::Column(2)])]);
        assert!(matches!(beyond.check(&numbers(1)), Err(PlayersError::Column { column: 2, .. })));
        let cell = Players::new(vec![player("a", vec![Part::Cells { column: 0, cells: vec![1] }])]);
        assert!(matches!(cell.check(&numbers(1)), Err(PlayersError::Cell { cell: 1, .. })));
    }

    #[test]
    fn columns_stand_in_clusters_and_the_rest_alone() {
        let columns = names(&["age", "zip", "sex", "city", "job"]);
        let grouped = || Players::grouped(&columns, &[group("who", &["age", "sex"])]).unwrap();
        let players = grouped().in_clusters(&columns, &[group("address", &["city", "zip"])]).unwrap();
        assert_eq!(players.names(), ["who", "zip", "city", "job"]);
        let cluster = players.cluster.as_ref().unwrap();
        assert!(cluster[1] == cluster[2] && cluster.iter().collect::<BTreeSet<_>>().len() == 3);
        assert_eq!(players.n_coalitions(&[0, 1, 2, 3]), 8 + 4 * 2);
        assert_eq!(players.n_coalitions(&[0, 1]), 4);
        let refused = |clusters: &[(String, Vec<String>)]| grouped().in_clusters(&columns, clusters).unwrap_err();
        assert!(matches!(refused(&[group("x", &["zap"])]), PlayersError::Unknown { .. }));
        assert!(matches!(refused(&[group("x", &[])]), PlayersError::Empty { .. }));
        assert!(
            matches!(refused(&[group("x", &["age", "job"])]), PlayersError::Shared { first, .. } if first == "who")
        );
        let twice = [group("x", &["zip"]), group("y", &["zip", "job"])];
        assert!(matches!(refused(&twice), PlayersError::Shared { first, .. } if first == "x"));
    }

    #[test]
    fn every_player_needs_a_cluster() {
        assert!(Players::columns(&names(&["a", "b"])).clustered(vec![1]).is_err());
    }
}
