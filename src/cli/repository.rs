//! What files are called by whoever looks at the repository that they are in.

use std::path::{Component, Path};

/// The name of a file from the top of the repository that the command runs in, with `/` between its parts; of a file
/// outside of it the whole path, and of what is no file the name that it was given.
pub(super) fn name_of(file: &str) -> String {
    name_from(Path::new("."), file)
}

fn name_from(here: &Path, file: &str) -> String {
    let path = here.join(file);
    let directory = path.parent().unwrap_or(here);
    // Links to the file itself are followed by nobody who looks at the repository.
    let (Ok(here), Ok(directory), Some(name)) = (here.canonicalize(), directory.canonicalize(), path.file_name())
    else {
        return file.to_owned();
    };
    if !path.exists() {
        return file.to_owned();
    }
    let top = here.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&here);
    let whole = directory.join(name);
    match whole.strip_prefix(top) {
        Ok(inside) => parts(inside).join("/"),
        Err(_) => format!("/{}", parts(&whole).join("/")),
    }
}

fn parts(path: &Path) -> Vec<String> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::Prefix(prefix) => Some(prefix.as_os_str().to_string_lossy().into_owned()),
        Component::RootDir | Component::CurDir | Component::ParentDir => None,
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_top_of_the_repository() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("repository/.git")).unwrap();
        std::fs::create_dir_all(top.join("repository/edge/a b")).unwrap();
        std::fs::write(top.join("repository/edge/arcflux.yaml"), "").unwrap();
        std::fs::write(top.join("outside.yaml"), "").unwrap();
        let here = top.join("repository/edge/a b");
        let inside = top.join("repository/edge/arcflux.yaml").display().to_string();
        assert_eq!(name_from(&here, "../arcflux.yaml"), "edge/arcflux.yaml");
        assert_eq!(name_from(&here, &inside), "edge/arcflux.yaml");
        assert_eq!(name_from(&here, "../../../outside.yaml"), top.join("outside.yaml").display().to_string());
        assert_eq!(name_from(&here, "<stdin>"), "<stdin>");
    }
}
