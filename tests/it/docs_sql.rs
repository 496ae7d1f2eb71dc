//! The worked questions of docs/sql.md, asked of the catalogue that the page describes.

use crate::project::{Project, repository};

/// Fenced blocks of a page, as (language, text).
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(fence) = lines.by_ref().find(|line| line.starts_with("```")) {
        let text: String =
            lines.by_ref().take_while(|line| *line != "```").map(|line| line.to_owned() + "\n").collect();
        blocks.push((fence.trim_start_matches('`').to_owned(), text));
    }
    blocks
}

/// Two nights of the shipped audit, with the very commands of the page.
fn demo_catalogue(page: &str) -> Project {
    let project = Project::empty();
    let pipeline = repository().join("pipelines/adult-income.toml");
    let (_, commands) = blocks(page).into_iter().find(|(language, _)| language == "sh").unwrap();
    assert_eq!(commands.lines().count(), 2);
    for command in commands.lines() {
        let words: Vec<String> = command.split(' ').map(|word| word.replace('\'', "")).collect();
        assert_eq!(words[..3], ["probity", "run", "pipelines/adult-income.toml"]);
        let results = format!("store.results={}", project.path("results").display());
        let mut arguments = vec!["run", pipeline.to_str().unwrap()];
        arguments.extend(words[3..].iter().map(String::as_str));
        arguments.extend(["--set", &results, "--catalogue", "catalogue.db", "--no-report"]);
        project.probity(&arguments).expect(0);
    }
    project
}

#[test]
fn every_worked_question_has_the_answer_that_the_page_gives() {
    let page = std::fs::read_to_string(repository().join("docs/sql.md")).unwrap();
    let project = demo_catalogue(&page);
    let blocks = blocks(&page);
    let mut n_answered = 0;
    for pair in blocks.windows(2).filter(|pair| pair[0].0 == "sql") {
        let (sql, answer) = (&pair[0].1, &pair[1]);
        assert_eq!(answer.0, "csv", "no answer to {sql}");
        let asked = project.probity(&["query", sql, "--format", "csv", "--catalogue", "catalogue.db"]);
        assert_eq!(asked.expect(0).stdout, answer.1, "{sql}");
        n_answered += 1;
    }
    assert!(n_answered >= 10, "{n_answered} questions");
    for (_, usage) in blocks.iter().filter(|(language, _)| language == "named") {
        for command in usage.lines() {
            let words: Vec<&str> = command.split(' ').skip(1).chain(["--catalogue", "catalogue.db"]).collect();
            project.probity(&words).expect(0);
        }
    }
}
