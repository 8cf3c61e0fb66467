//! The source of a configuration, whichever kind it is.

use super::super::Hole;
use super::{
    AzureBlobSpec, BucketSpec, ConfigurationSpec, GitRepositorySpec, OciRepositorySpec, azure_blob, bucket, git,
    oci_repository,
};

/// The one source that a configuration has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// A git repository.
    GitRepository(&'a GitRepositorySpec),
    /// A bucket.
    Bucket(&'a BucketSpec),
    /// A container of a storage account.
    AzureBlob(&'a AzureBlobSpec),
    /// A repository of a container registry.
    OciRepository(&'a OciRepositorySpec),
}

/// The members of a body that describe a source: one of them, by `sourceKind`.
pub const SOURCE_MEMBERS: [&str; 4] = ["gitRepository", "bucket", "azureBlob", "ociRepository"];

impl<'a> Source<'a> {
    /// The source of a configuration. A spec that passed its rules has exactly one.
    #[must_use]
    pub fn of(spec: &'a ConfigurationSpec) -> Option<Self> {
        let ConfigurationSpec { git_repository, bucket, azure_blob, oci_repository, .. } = spec;
        git_repository
            .as_ref()
            .map(Self::GitRepository)
            .or(bucket.as_ref().map(Self::Bucket))
            .or(azure_blob.as_ref().map(Self::AzureBlob))
            .or(oci_repository.as_ref().map(Self::OciRepository))
    }

    /// ARM's word for it, in `sourceKind`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::GitRepository(_) => "GitRepository",
            Self::Bucket(_) => "Bucket",
            Self::AzureBlob(_) => "AzureBlob",
            Self::OciRepository(_) => "OCIRepository",
        }
    }

    /// The member of a body that describes it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        let [git, bucket, blob, oci] = SOURCE_MEMBERS;
        match self {
            Self::GitRepository(_) => git,
            Self::Bucket(_) => bucket,
            Self::AzureBlob(_) => blob,
            Self::OciRepository(_) => oci,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(self) -> &'a str {
        match self {
            Self::GitRepository(GitRepositorySpec { url, .. })
            | Self::Bucket(BucketSpec { url, .. })
            | Self::AzureBlob(AzureBlobSpec { url, .. })
            | Self::OciRepository(OciRepositorySpec { url, .. }) => url,
        }
    }

    /// The commit that it stays at; only git has one.
    #[must_use]
    pub fn commit(self) -> Option<&'a str> {
        match self {
            Self::GitRepository(git) => git.commit.as_deref(),
            Self::Bucket(_) | Self::AzureBlob(_) | Self::OciRepository(_) => None,
        }
    }

    pub(super) fn holes(self) -> Vec<Hole> {
        match self {
            Self::GitRepository(git) => git::holes(git),
            Self::Bucket(bucket) => bucket::holes(bucket),
            Self::AzureBlob(blob) => azure_blob::holes(blob),
            Self::OciRepository(oci) => oci_repository::holes(oci),
        }
    }
}
