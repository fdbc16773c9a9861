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

const input = { model: 'flux-schnell', prompt: 'a red fox in the snow, morning light', aspectRatio: '3:2' };

/** The tabs of a first visit; later ones open as they were left. */
export const examples = [
  { query: create, variables: JSON.stringify({ input }, null, 2) },
  { query: watch },
  { query: gallery, variables: JSON.stringify({ scope: 'MINE' }, null, 2) },
];
