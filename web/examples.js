const create = `# A prompt becomes a picture: this answers at once, the work goes on behind it.
# To see it happen, open this page in a second window and run Watch there first.
mutation Create($input: CreateGenerationInput!) {
  createGeneration(input: $input) {
    generation {
      id
      status
      queuePosition
      etaSeconds
    }
    errors {
      message
      code
      path
    }
  }
}
`;

const watch = `# Everything that happens to your generations, while it happens.
subscription Watch {
  myGenerationEvents {
    __typename
    cursor
    generation {
      id
      prompt
      status
      stage
      progress
      images {
        url
        thumbnailUrl
      }
    }
  }
}
`;

const gallery = `# Your own pictures, newest first. PUBLIC shows everybody's.
query Gallery($scope: ImageScope! = MINE, $after: String) {
  images(scope: $scope, first: 12, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        id
        prompt
        url
        thumbnailUrl(size: MEDIUM)
        width
        height
        createdAt
      }
    }
  }
}
`;

const share = `# Show one of yours to everybody, find it and like it:
# the button lets you choose. Gallery has the ids.
mutation Share($id: ID!, $tags: [String!]!) {
  addTags(imageId: $id, names: $tags) {
    errors {
      message
      path
    }
  }
  updateImage(input: { id: $id, isPublic: true }) {
    image {
      id
      url
      isPublic
    }
    errors {
      message
      path
    }
  }
}

query Find($words: String!, $tags: [String!]!) {
  images(scope: PUBLIC, filter: { search: $words, tags: $tags }, order: MOST_LIKED, first: 12) {
    totalCount
    edges {
      node {
        id
        prompt
        url
        likeCount
        likedByMe
        tags {
          name
        }
        owner {
          username
        }
      }
    }
  }
}

mutation Like($id: ID!) {
  likeImage(id: $id) {
    image {
      id
      likeCount
      likedByMe
    }
    errors {
      message
      path
    }
  }
}
`;

const batch = `# Two to ten at once, all or none.
mutation Batch($input: CreateBatchInput!) {
  createBatch(input: $input) {
    batch {
      id
      status
      totalCount
    }
    errors {
      message
      code
      path
    }
  }
}

# How far they are; its id goes into the variables.
subscription WatchBatch($id: ID!) {
  batchUpdated(id: $id) {
    status
    progress
    completedCount
    totalCount
    generations {
      id
      prompt
      status
      images {
        url
      }
    }
  }
}
`;

const upload = `# A picture of your own, of \`size\` bytes. They go to the
# url of the answer, from a terminal, say:
# curl -X PUT -H 'Content-Type: image/png' --data-binary @fox.png 'URL'
mutation Upload($input: CreateUploadInput!) {
  createUpload(input: $input) {
    upload {
      id
      method
      url
      headers {
        name
        value
      }
      expiresAt
    }
    errors {
      message
      code
      path
    }
  }
}

# Then it is checked, and becomes an image like any
# other; its id goes into the variables.
mutation FinishUpload($id: ID!) {
  completeUpload(id: $id) {
    upload {
      id
      status
    }
    errors {
      message
      path
    }
  }
}

subscription WatchUpload($id: ID!) {
  uploadUpdated(id: $id) {
    status
    image {
      id
      url
    }
    error {
      message
    }
  }
}
`;

const fox = { model: 'flux-schnell', prompt: 'a red fox in the snow, morning light', aspectRatio: '3:2' };
const foxes = { model: 'flux-schnell', prompts: [{ prompt: 'a red fox at dawn' }, { prompt: 'a red fox at dusk' }] };
const file = { filename: 'fox.png', contentType: 'image/png', size: 123456 };

const tab = (query, variables) => ({ query, variables: JSON.stringify(variables, null, 2) });

/** The tabs of a first visit; later ones open as they were left. */
export const examples = [
  tab(create, { input: fox }),
  { query: watch },
  tab(gallery, { scope: 'MINE' }),
  tab(share, { id: '', words: 'fox snow', tags: ['fox'] }),
  tab(batch, { input: foxes, id: '' }),
  tab(upload, { input: file, id: '' }),
];
