//! The ready files for other people's CI say what the command line understands.

use crate::read;

const READY: [(&str, [&str; 2]); 4] = [
    (".github/workflows/grade.yml", ["STRATEGY_JOB_INDEX", "STRATEGY_JOB_TOTAL"]),
    (".ci/grade.gitlab-ci.yml", ["CI_NODE_INDEX", "CI_NODE_TOTAL"]),
    (".ci/grade.slurm.sh", ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"]),
    (".ci/grade.kubernetes.yaml", ["JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"]),
];

#[test]
fn ready_files_name_what_the_grader_reads() {
    let (shard, grammar, readme) =
        (read("xtask/grader/src/class/shard.rs"), read("xtask/grader/src/cli.rs"), read("README.md"));
    for (file, variables) in READY {
        let text = read(file);
        for variable in variables {
            assert!(text.contains(variable) && shard.contains(&format!("\"{variable}\"")), "{file}: {variable}");
        }
        assert!(readme.contains(file), "the README does not name {file}");
        for word in ["xtask grade", "xtask merge", "--shard auto", "--require-isolation confined", "--out"] {
            assert!(text.contains(word), "{file} lacks `{word}`");
        }
        // What is said to Slurm is not said to the grader.
        let said: Vec<&str> = text.lines().filter(|line| !line.starts_with("#SBATCH")).collect();
        let flags = said
            .iter()
            .flat_map(|line| line.split_whitespace())
            .filter(|word| word.starts_with("--") && !word.contains('$'));
        for flag in flags.filter(|flag| !["--profile", "--default", "--directory", "--tmpdir"].contains(flag)) {
            let field = flag.trim_start_matches('-').replace('-', "_");
            assert!(grammar.contains(&format!("pub(crate) {field}:")), "{file}: there is no `{flag}`");
        }
    }
}
